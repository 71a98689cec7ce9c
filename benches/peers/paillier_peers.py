"""The side of `paillier.py` that runs a peer, named by the first argument: phe, pypaillier, heu.

Speaks the same protocol as `paillier_ours.rs`: a line `OPERATION-BITS REPETITIONS` is answered with
a line `SECONDS 0`, measured in this process. One repetition works on a batch of 64 numbers (the dot
product on 1000), with the peer's own batch function where it has one.
"""

import functools
import os
import secrets
import sys
import time

# `paillier` is the name of a peer, and of the script beside this one.
sys.path.pop(0)

BATCH, TERMS = 64, 1000
VALUES = [(i * 0x9E3779B9) % (1 << 40) for i in range(BATCH)]
WEIGHTS = [2**63 - 1 - i for i in range(BATCH)]
SHORT = [i * 7919 % 65536 for i in range(TERMS)]


class Phe:
    def __init__(self, bits):
        from phe import paillier

        self.public, self.private = paillier.generate_paillier_keypair(n_length=bits)
        # Raw integers: the encoding is not what is compared.
        self.a = [self.public.raw_encrypt(v) for v in VALUES]
        self.b = [self.public.raw_encrypt(v) for v in VALUES]
        encrypted = paillier.EncryptedNumber
        self.x = [encrypted(self.public, c) for c in self.a]
        self.y = [encrypted(self.public, c) for c in self.b]
        terms = (self.a * (TERMS // BATCH + 1))[:TERMS]
        self.terms = [encrypted(self.public, c) for c in terms]

    def encrypt(self):
        return [self.public.raw_encrypt(v) for v in VALUES]

    def decrypt(self):
        return [self.private.raw_decrypt(c) for c in self.a]

    def add(self):
        return [x._raw_add(a, b) for x, a, b in zip(self.x, self.a, self.b)]

    def multiply(self):
        return [x._raw_mul(w) for x, w in zip(self.x, WEIGHTS)]

    def dot(self):
        total = self.terms[0] * SHORT[0]
        for x, w in zip(self.terms[1:], SHORT[1:]):
            total += x * w
        return total

    def keygen(self, bits):
        from phe import paillier

        return paillier.generate_paillier_keypair(n_length=bits)


class PyPaillier:
    def __init__(self, bits):
        import paillier

        self.module = paillier
        self.public, self.private = make_pypaillier(bits)
        self.a = paillier.encrypt_integers(self.public, VALUES)
        self.b = paillier.encrypt_integers(self.public, VALUES)
        self.terms = (self.a * (TERMS // BATCH + 1))[:TERMS]

    def encrypt(self):
        return self.module.encrypt_integers(self.public, VALUES)

    def decrypt(self):
        return self.module.decrypt_exact_many(self.private, self.a)

    def add(self):
        # It sums a list: 63 additions stand for 64.
        return self.module.add_many(self.public, self.a)

    def multiply(self):
        return self.module.multiply_integers(self.public, self.a, WEIGHTS, scalar_bits=64)


@functools.cache
def make_pypaillier(bits):
    import paillier

    pair = paillier.generate_keypair(bits)
    return pair if isinstance(pair[0], paillier.PublicKey) else pair[::-1]


class Heu:
    def __init__(self, bits):
        from heu import numpy as hnp
        from heu import phe

        self.kit = hnp.setup(phe.SchemaType.ZPaillier, bits)
        encoder = phe.BigintEncoder(phe.SchemaType.ZPaillier)
        encode = lambda values: self.kit.array(values, encoder)
        self.encryptor, self.evaluator = self.kit.encryptor(), self.kit.evaluator()
        self.decryptor = self.kit.decryptor()
        self.plain = encode(VALUES)
        self.a = self.encryptor.encrypt(self.plain)
        self.b = self.encryptor.encrypt(self.plain)
        self.weights = encode(WEIGHTS)
        terms = (VALUES * (TERMS // BATCH + 1))[:TERMS]
        self.terms = self.encryptor.encrypt(encode(terms))
        self.short = encode(SHORT)

    def encrypt(self):
        return self.encryptor.encrypt(self.plain)

    def decrypt(self):
        return self.decryptor.decrypt(self.a)

    def add(self):
        return self.evaluator.add(self.a, self.b)

    def multiply(self):
        return self.evaluator.mul(self.a, self.weights)

    def dot(self):
        return self.evaluator.matmul(self.terms, self.short)


def main():
    # HEU writes log lines to the standard output, where answers are waited for.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    kind = {"phe": Phe, "pypaillier": PyPaillier, "heu": Heu}[sys.argv[1]]
    made = {}
    for line in sys.stdin:
        operation, repetitions = line.split()
        operation, bits = operation.split("-")
        bits = int(bits)
        if operation == "keygen":
            run = functools.partial(Phe.keygen, None, bits)
        else:
            if bits not in made:
                made[bits] = kind(bits)
            run = getattr(made[bits], operation)
        start = time.perf_counter()
        for _ in range(int(repetitions)):
            run()
        print(time.perf_counter() - start, 0, file=answers, flush=True)


main()
