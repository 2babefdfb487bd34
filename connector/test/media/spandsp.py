"""G.722 by libspandsp: `encode` 16 bit samples of 16 kHz, or `decode`, from stdin to stdout."""
import ctypes
import sys

library = ctypes.CDLL('libspandsp.so.2')
mode = sys.argv[1]
init = getattr(library, f'g722_{mode}_init')
run = getattr(library, f'g722_{mode}')
init.restype = ctypes.c_void_p
init.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]
run.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
data = sys.stdin.buffer.read()
output = ctypes.create_string_buffer(4 * len(data) + 16)
count = run(init(None, 64000, 0), output, data, len(data) // 2 if mode == 'encode' else len(data))
sys.stdout.buffer.write(output.raw[: count if mode == 'encode' else 2 * count])
