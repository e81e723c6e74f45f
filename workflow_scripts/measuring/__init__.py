"""Statistics, tables and figures. Reads Parquet only; knows neither torch nor how a puzzle is solved."""
