"""Writes grainhash.jsonl: grains, each with its hash as Python makes it.

    python3 grainhash.py > grainhash.jsonl

canonical() is the definition of the hash, in the language that most who write grains have.
It must never change.
"""
import hashlib
import json
import math
import random
import struct

RENAMED = {"arguments": "input", "result": "content", "structural_tags": "tags"}
ACTION = ("action", "tool_call", "toolcall", "ToolCall")


def dumps(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def whole(value):
    """A whole number below 2**53 is the same with a fraction and without."""
    if isinstance(value, float) and value == math.trunc(value) and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [whole(v) for v in value]
    if isinstance(value, dict):
        return {name: whole(v) for name, v in value.items()}
    return value


def canonical(grain):
    """What is hashed of a grain that is an action, a namespace beside it put into it."""
    grain = dict(grain)
    grain.update(grain.pop("fields", {}))
    if "success" in grain:
        success = grain.pop("success")
        grain["is_error"] = None if success is None else not success
    grain = {RENAMED.get(name, name): whole(v) for name, v in grain.items()}
    for name in ("type", "grain_type"):
        assert grain.pop(name, "action") in ACTION
    for name in ("duration_ms", "confidence"):
        if grain.get(name) is not None:
            grain[name] = whole(float(grain[name]))
    content = grain.get("content")
    if content is not None and not isinstance(content, str):
        grain["content"] = dumps(content)
    if grain.get("is_error") is False:
        del grain["is_error"]
    if grain.get("namespace") == "default":
        del grain["namespace"]
    return dumps({name: v for name, v in grain.items() if v is not None and v != "" and v != []})


def grain_hash(grain):
    return hashlib.sha256(canonical(grain).encode()).hexdigest()


random.seed(6)
WORDS = ["é", "日本", 'a"b', "c\\d", "\t", "\n\r", "\u2028", "\x7f", "\x00\x01", "\b\f", "</script>&", "😀", "\uffff",
         "ß", "A", "a", "Z", "_", "key", "\u00a0", "\ufeff", "x\x1fy", "\\b", "\\u0008", "/"]
NUMBERS = [0.0, -0.0, 1.0, -1.0, 1.5, 0.1, 1e-4, 1.5e-4, 9.999e-5, 1e-5, 1e-7, 5e-324, 1e6, 1234567.5, 1e15 + .5, 9007199254740991.0,
           9007199254740992.0, 9007199254740994.0, 9999999999999998.0, 1e16, 1.2345e16, 1e17, 1e20, 1e21, 1e22, 1e23, 1e100,
           1.7976931348623157e308, 2.2250738585072014e-308, -1e16, 2**53, 2**53 + 1, -2**63, 10**16, 10**30, -10**40, 0, 7]


def text():
    return "".join(random.choice(WORDS) for _ in range(random.randint(1, 4)))


def number():
    kind = random.randrange(4)
    if kind == 0:
        return random.randint(-10**6, 10**6)
    if kind == 1:
        return random.uniform(-1, 1) * 10**random.randint(-12, 25)
    if kind == 2:
        f = struct.unpack("<d", struct.pack("<Q", random.getrandbits(64)))[0]
        return f if math.isfinite(f) else 0.5
    return random.choice(NUMBERS)


def value(depth=0):
    kind = random.random()
    if kind < .3 or depth > 3:
        return text()
    if kind < .6:
        return number()
    if kind < .7:
        return random.choice([True, False, None, "", [], {}])
    if kind < .85:
        return [value(depth + 1) for _ in range(random.randint(0, 3))]
    return {text(): value(depth + 1) for _ in range(random.randint(0, 4))}


def some(chance, make):
    return make() if random.random() < chance else None


def a_grain():
    old = random.random() < .4
    grain = {
        "tool_name": text(),
        "arguments" if old else "input": some(.6, lambda: {text(): value() for _ in range(random.randint(0, 4))}),
        "result" if old else "content": some(.6, lambda: random.choice([text(), value(), ""])),
        "success" if old else "is_error": some(.4, lambda: random.random() < .5),
        "error": some(.3, text),
        "duration_ms": some(.5, lambda: abs(number())),
        "parent_task_id": some(.3, text),
        "output_schema": some(.3, lambda: {"type": "object", "properties": {text(): value()}}),
        "confidence": some(.4, lambda: random.choice([0, 1, 1.0, .5, .97, 1e-9, random.random()])),
        "structural_tags" if old else "tags": some(.3, lambda: [text() for _ in range(random.randint(0, 3))]),
        "related_to": some(.3, lambda: ["%064x" % random.getrandbits(256)]),
        "namespace": some(.3, lambda: random.choice(["r", "x y", "é", "default"])),
        "created_at": some(.5, lambda: 1772360000000 + random.randrange(10**9)),
        "zzz " + text(): some(.4, value),
        "Aa " + text(): some(.4, value),
    }
    items = [(name, v) for name, v in grain.items() if v is not None or random.random() < .1]
    random.shuffle(items)
    grain = dict(items)
    if random.random() < .3:
        return {"grain_type": random.choice(ACTION), "fields": grain}
    if old:
        grain["type"] = random.choice(ACTION)
    return grain


def main():
    grains = [{"tool_name": "t", "input": {"n": n}} for n in NUMBERS]
    grains += [{"tool_name": "t", "duration_ms": abs(n)} for n in NUMBERS]
    grains += [{"tool_name": word, "content": word, "input": {word: word}} for word in WORDS]
    grains += [a_grain() for _ in range(300)]
    for grain in grains:
        print(grain_hash(grain), json.dumps(grain, ensure_ascii=random.random() < .5))


if __name__ == "__main__":
    main()
