"""Equations whose digits hide behind glyphs."""
