"""A language model of a few kilobytes with random weights, for llama.cpp's llama-server.

It knows the characters of ASCII and answers noise, but a server serves it as it does any other model, and keeps it to
tools and JSON schemas. `run` beside this file starts one.
"""

import sys

import gguf
import numpy

WIDTH, HEADS, HIDDEN, CONTEXT = 64, 4, 64, 65536
# Printable ASCII; a blank is written as the sentence piece tokenizer writes it.
TEXT = ["\u2581" if code == 32 else chr(code) for code in range(32, 127)] + ["\n"]
TOKENS = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + TEXT
KINDS = [gguf.TokenType.UNKNOWN] + 2 * [gguf.TokenType.CONTROL]
KINDS += 256 * [gguf.TokenType.BYTE] + len(TEXT) * [gguf.TokenType.NORMAL]
END, FIRST_TEXT = 2, 259
TEMPLATE = (
    "{% for tool in tools or [] %}{{ tool | tojson }}\n{% endfor %}"
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant: "
)


def weights(random):
    """Embeddings and output alone say which character follows which; the layer in between adds nothing."""
    embedding = random.normal(size=(len(TOKENS), WIDTH)).astype(numpy.float32)
    output = random.normal(size=(len(TOKENS), WIDTH)).astype(numpy.float32) / 8
    # One dimension is the same for all tokens, so that some are never said, and the end is said now and then.
    embedding[:, 0], output[:, 0] = 8, 0
    output[:FIRST_TEXT, 0] = -50
    output[END, 0] = 0
    yield "token_embd.weight", embedding
    yield "output.weight", output
    yield "output_norm.weight", numpy.ones(WIDTH, numpy.float32)
    nothing = numpy.zeros((WIDTH, WIDTH), numpy.float32)
    for part in ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]:
        yield f"blk.0.{part}.weight", nothing
    for part in ["attn_norm", "ffn_norm"]:
        yield f"blk.0.{part}.weight", numpy.ones(WIDTH, numpy.float32)


def main(path):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(TOKENS)
    writer.add_token_scores([0.0] * len(TOKENS))
    writer.add_token_types(KINDS)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(END)
    writer.add_unk_token_id(0)
    writer.add_chat_template(TEMPLATE)
    for name, tensor in weights(numpy.random.default_rng(1)):
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main(sys.argv[1])
