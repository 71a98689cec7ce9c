#!/usr/bin/env python3
"""Checks the exchange with python-paillier in both directions, running it as an external program.

    python3 benches/peers/phe_exchange.py

Exit code 0: what one side wrote, the other opened to the same numbers; 1 otherwise.
"""

import json
import subprocess
import sys
import tempfile
import pathlib

import harness

PHE = """
import json, sys
from phe import paillier
from phe.util import base64_to_int, int_to_base64

folder = sys.argv[1]
read = lambda name: json.load(open(f"{folder}/{name}"))

# A key of ours opens what phe encrypted under it, and phe opens what we encrypted.
jwk = read("ours_private.jwk")
public = paillier.PaillierPublicKey(base64_to_int(jwk["pub"]["n"]))
private = paillier.PaillierPrivateKey(public, base64_to_int(jwk["p"]), base64_to_int(jwk["q"]))
document = read("ours.json")
assert document["public_key"]["n"] == public.n
numbers = [paillier.EncryptedNumber(public, int(c), int(e)) for c, e in document["values"]]
opened = [private.decrypt(x) for x in numbers]
assert opened == [2.5, -0.0625, 100.0], opened
values = [public.encrypt(x) for x in (7, -3, 0.1, -1e10)]
values.append(values[0] + values[2] * 2)
out = {"public_key": {"n": public.n}, "values": [(str(x.ciphertext()), x.exponent) for x in values]}
json.dump(out, open(f"{folder}/phe.json", "w"))

# A key of phe's, in its JWK form.
public, private = paillier.generate_paillier_keypair(n_length=2048)
jwk = {"kty": "DAJ", "alg": "PAI-GN1", "key_ops": ["encrypt"], "n": int_to_base64(public.n), "kid": "phe"}
secret = {"kty": "DAJ", "key_ops": ["decrypt"], "p": int_to_base64(private.p),
          "q": int_to_base64(private.q), "pub": jwk, "kid": "phe"}
json.dump(secret, open(f"{folder}/phe_private.jwk", "w"))
x = public.encrypt(42) - 0.5
out = {"public_key": {"n": str(public.n)}, "values": [(str(x.ciphertext()), x.exponent)]}
json.dump(out, open(f"{folder}/phe_key.json", "w"))
"""


def main():
    binary = harness.build("paillier-he", "phe_exchange")
    harness.TARGET.mkdir(parents=True, exist_ok=True)
    python = harness.environment("paillier-phe", ("phe==1.5.0", "gmpy2==2.3.2"))
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "phe_side.py"
        script.write_text(PHE)
        subprocess.run([binary, "write", folder], check=True)
        subprocess.run([python, script, folder], check=True)
        subprocess.run([binary, "read", folder], check=True)
    print("both directions agree")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed")
