"""The only room with torch: tokens and packing, backbones, LoRA under DeepSpeed, decoding. It knows no family."""
