"""A second opinion on CloudWatch Logs filter patterns, for the tests: plain Python, written from the
documentation of the language, and a generator of patterns and events to ask both about.

    pattern_reference.py generate SEED BLOCKS PATTERNS EVENTS   one JSON object per block on stdout
    pattern_reference.py seeds FOLDER                           start inputs of the fuzz targets
"""

import json
import pathlib
import random
import re
import sys
from decimal import Decimal

# --- reading a pattern -----------------------------------------------------------------------------

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
TOKEN = re.compile(
    r"""\s*(?:
      (?P<open>\() | (?P<close>\)) | (?P<and>&&) | (?P<or>\|\|) | (?P<end>\})
    | (?P<selector>\$(?:\.\['[^']*'\]|\['[^']*'\]|\.\*|\.[A-Za-z0-9_-]+|\[[0-9]+\]|\[\*\])+)
    )""",
    re.VERBOSE,
)
TEST = re.compile(
    r"""\s*(?:
      (?P<keyword>IS\s+NULL|IS\s+TRUE|IS\s+FALSE|NOT\s+EXISTS)
    | (?P<operator>!=|<=|>=|=|<|>)\s*
      (?: %(?P<regex>[^%]*)% | "(?P<quoted>(?:\\"|[^"])*)" | (?P<bare>(?:(?!&&|\|\|)[^\s)}])+) )
    )""",
    re.VERBOSE,
)
STEP = re.compile(r"\.?\['([^']*)'\]|\.(\*)|\.([A-Za-z0-9_-]+)|\[([0-9]+)\]|\[(\*)\]")


class JsonPattern:
    """A pattern in braces: alternatives of conjunctions, read by recursive descent."""

    def __init__(self, text):
        self.text, self.at = text, 1
        self.tree = self.alternatives()
        if self.token() != ("end", "}"):
            raise ValueError(f"no closing brace in {text}")

    def token(self, take=True):
        found = TOKEN.match(self.text, self.at)
        if not found:
            raise ValueError(f"{self.text[self.at:]!r} in {self.text}")
        if take:
            self.at = found.end()
        return found.lastgroup, found.group(found.lastgroup)

    def series(self, kind, part):
        parts = [part()]
        while self.token(take=False)[0] == kind:
            self.token()
            parts.append(part())
        return kind, parts

    def alternatives(self):
        return self.series("or", lambda: self.series("and", self.primary))

    def primary(self):
        kind, text = self.token()
        if kind == "open":
            inner = self.alternatives()
            if self.token()[0] != "close":
                raise ValueError(f"no closing parenthesis in {self.text}")
            return inner
        if kind != "selector":
            raise ValueError(f"a selector was expected, not {text} in {self.text}")
        found = TEST.match(self.text, self.at)
        if not found:
            raise ValueError(f"no comparison after {text} in {self.text}")
        self.at = found.end()
        return "condition", (steps_of(text), found.groupdict())

    def matches(self, message):
        try:
            event = json.loads(message, parse_int=Literal, parse_float=Literal)
        except ValueError:
            return False
        return holds(self.tree, event)


def steps_of(selector):
    steps = []
    for bracketed, star, name, index, any_index in STEP.findall(selector):
        if star:
            steps.append(ANY_MEMBER)
        elif any_index:
            steps.append(ANY_ELEMENT)
        elif index:
            steps.append(int(index))
        else:
            steps.append(name or bracketed)
    return steps


ANY_MEMBER, ANY_ELEMENT = object(), object()


class Literal:
    """A JSON number: its value, and how it was written."""

    def __init__(self, text):
        self.text, self.value = text, Decimal(text)


# --- evaluating it ---------------------------------------------------------------------------------


def holds(tree, event):
    kind, content = tree
    if kind == "or":
        return any(holds(part, event) for part in content)
    if kind == "and":
        return all(holds(part, event) for part in content)
    steps, test = content
    targets = [event]
    for step in steps:
        targets = [below for target in targets for below in descend(target, step)]
    if test["keyword"] and test["keyword"].startswith("NOT"):
        return not targets
    # A selector without a wildcard has one target or none; with one, any of them will do.
    return any(satisfied(test, target) for target in targets)


def descend(value, step):
    if step is ANY_MEMBER:
        return list(value.values()) if isinstance(value, dict) else []
    if step is ANY_ELEMENT:
        return value if isinstance(value, list) else []
    if isinstance(step, int):
        return value[step : step + 1] if isinstance(value, list) else []
    return [value[step]] if isinstance(value, dict) and step in value else []


def satisfied(test, value):
    if test["keyword"]:
        word = test["keyword"].split()[1]
        return value is {"NULL": None, "TRUE": True, "FALSE": False}[word]
    # "If it points to an array or object, the filter will not be applied", and null is neither
    # equal nor unequal to anything.
    if value is None or isinstance(value, (dict, list)):
        return False
    operator = test["operator"]
    if operator in ("=", "!="):
        return equal(test, value) == (operator == "=")
    if not isinstance(value, Literal):
        return False
    limit = Decimal(test["bare"])
    return {
        "<": value.value < limit,
        "<=": value.value <= limit,
        ">": value.value > limit,
        ">=": value.value >= limit,
    }[operator]


def equal(test, value):
    if isinstance(value, Literal) and test["bare"] and NUMBER.match(test["bare"]):
        return value.value == Decimal(test["bare"])
    if isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = value.text if isinstance(value, Literal) else value
    if test["regex"] is not None:
        return expression(test["regex"]).search(text) is not None
    quoted = test["quoted"]
    return like(test["bare"] if quoted is None else quoted.replace('\\"', '"'), text)


def expression(source):
    # `$` is the end of the text and nothing else; Python would allow a line break after it.
    return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", source), re.ASCII)


def like(operand, text):
    """An asterisk at either end stands for any text; one in the middle is an asterisk."""
    if operand == "*":
        return True
    if operand.startswith("*") and operand.endswith("*"):
        return operand[1:-1] in text
    if operand.startswith("*"):
        return text.endswith(operand[1:])
    if operand.endswith("*"):
        return text.startswith(operand[:-1])
    return text == operand


# --- the other forms -------------------------------------------------------------------------------

TERM = re.compile(r'([?-]?)(?:"((?:\\"|[^"])*)"|([^\s"]+))')


class TermPattern:
    def __init__(self, text):
        self.terms = [
            (sign, (bare or quoted).replace('\\"', '"') if quoted or bare else "")
            for sign, quoted, bare in TERM.findall(text)
        ]

    def matches(self, message):
        options = [text for sign, text in self.terms if sign == "?"]
        if len(options) == len(self.terms):
            return any(option in message for option in options) or not options
        return all(
            (text in message) == (sign != "-") for sign, text in self.terms if sign != "?"
        )


class RegexPattern:
    def __init__(self, text):
        self.regex = expression(text.strip()[1:-1])

    def matches(self, message):
        return self.regex.search(message) is not None


FIELD = re.compile(r'\[[^\]]*\]|"[^"]*"|[^\s"\[]\S*')


class SpacePattern:
    """`[name, name OP value, ...]`, without joined tests."""

    def __init__(self, text):
        self.fields = [field.strip() for field in text.strip()[1:-1].split(",")]

    def matches(self, message):
        words = [
            word[1:-1] if word[0] in '["' else word for word in FIELD.findall(message)
        ]
        return self.fit(self.fields, words)

    def fit(self, fields, words):
        if not fields:
            return not words
        if fields[0] == "...":
            return any(self.fit(fields[1:], words[skip:]) for skip in range(len(words) + 1))
        return bool(words) and self.test(fields[0], words[0]) and self.fit(fields[1:], words[1:])

    def test(self, field, word):
        found = re.match(r"[A-Za-z_]+\s*(.*)", field)
        if not found.group(1):
            return True
        test = TEST.match(found.group(1)).groupdict()
        value = Literal(word) if NUMBER.match(word) else word
        return satisfied(test, value)


class Everything:
    def matches(self, message):
        return True


def read(text):
    stripped = text.strip()
    if not stripped:
        return Everything()
    first = stripped[0]
    return {"{": JsonPattern, "[": SpacePattern, "%": RegexPattern}.get(first, TermPattern)(stripped)


# --- the generator ---------------------------------------------------------------------------------

WORDS = ["ConsoleLogin", "DeleteTrail", "UpdateTrail", "Failed authentication", "Root", "", "x", "xy",
         "yx", "12", "123", "12.0", "1e3", "true", "*", "a*b", 'a "b" c', "10.1.2.3", "signin.amazonaws.com",
         "No username found in supplied account", "AccessDenied", "Client.UnauthorizedOperation", "ä€ü"]
NUMBERS = ["0", "1", "12", "12.0", "123", "-3", "1.5", "400", "0.001", "1000", "99999999999"]
LITERALS = NUMBERS + ["+12", "1e3", "1.2e1", "1e-3", "-3.0", "12.5", ".5"]
REGEXES = ["^Console", "Trail$", "^[A-Z][a-z]+$", r"\d+", r"10\.[0-9]+\.", "x?y", "[Ff]ailed", r"^\S*$", "aut|Roo",
           r"^\x41", r"[^a-z]{3,5}", r"\w+@", ".o+."]
NAMES = ["a", "b", "eventName", "user-id", "errorCode", "n"]
LINES = ["[ERROR 419] MISSING ARGUMENTS", "[ERROR 400] BAD REQUEST", "ERROR 12 ConsoleLogin x",
         '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534',
         '10.1.2.3 Test anna [11/Oct/2000:13:25:15 -0700] "PUT /a.txt HTTP/1.1" 200 12',
         "warn: ConsoleLogin failed", "no json {here}"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def pick(self, values):
        return self.random.choice(values)

    def scalar(self):
        kind = self.random.random()
        if kind < 0.55:
            return json.dumps(self.pick(WORDS), ensure_ascii=self.chance(0.3))
        if kind < 0.84:
            return self.pick(NUMBERS)
        return "null" if kind < 0.94 else self.pick(["true", "false"])

    def value(self, depth):
        kind = self.random.random()
        if depth == 0 or kind < 0.6:
            return self.scalar()
        count = self.random.randrange(4)
        if kind < 0.8:
            return "[" + ",".join(self.value(depth - 1) for _ in range(count)) + "]"
        return self.object(depth - 1, count)

    def object(self, depth, count):
        names = self.random.sample(NAMES, count)
        blank = " " if self.chance(0.2) else ""
        return "{" + ",".join(f'"{name}":{blank}{self.value(depth)}' for name in names) + "}"

    def event(self):
        if self.chance(0.06):
            return self.pick(LINES)
        return self.object(2, self.random.randrange(3, len(NAMES) + 1))

    def selector(self, wildcards):
        text = "$"
        for _ in range(self.pick([1, 1, 1, 2, 2, 3])):
            kind = self.random.random()
            if text == "$" or kind < 0.5:
                name = self.pick(NAMES)
                text += f".['{name}']" if self.chance(0.1) else f".{name}"
            elif kind < 0.8 or wildcards[0] == 0 or "*" in text:
                text += f"[{self.random.randrange(3)}]"
            else:
                wildcards[0] -= 1
                text += self.pick(["[*]", ".*"])
        return text

    def operand(self, regexes):
        kind = self.random.random()
        if kind < 0.25:
            return self.pick(LITERALS)
        if kind < 0.35:
            return f'"{self.pick(LITERALS)}"'
        if kind < 0.45 and regexes[0]:
            regexes[0] -= 1
            return f"%{self.pick(REGEXES)}%"
        word = self.pick(WORDS)
        if self.chance(0.4) and word:
            cut = self.random.randrange(1, len(word) + 1)
            word = self.pick([word[:cut] + "*", "*" + word[-cut:], "*" + word[:cut] + "*", "*"])
        if re.fullmatch(r"[A-Za-z0-9_.*]+", word) and self.chance(0.6):
            return word
        return '"' + word.replace('"', '\\"') + '"'

    def condition(self, wildcards, regexes):
        selector, kind = self.selector(wildcards), self.random.random()
        blank = self.pick([" ", " ", ""])
        if kind < 0.1:
            return f"{selector} NOT EXISTS"
        if kind < 0.2:
            return f"{selector} IS {self.pick(['NULL', 'NULL', 'TRUE', 'FALSE'])}"
        if kind < 0.35:
            return f"{selector}{blank}{self.pick(['<', '<=', '>', '>='])}{blank}{self.pick(LITERALS)}"
        return f"{selector}{blank}{self.pick(['=', '=', '!='])}{blank}{self.operand(regexes)}"

    def formula(self, depth, wildcards, regexes):
        if depth == 0 or self.chance(0.35):
            return self.condition(wildcards, regexes)
        text = self.formula(depth - 1, wildcards, regexes)
        for _ in range(self.random.randrange(1, 3)):
            blank = self.pick([" ", " ", ""])
            right = self.formula(depth - 1, wildcards, regexes)
            text += f"{blank}{self.pick(['&&', '||', '||'])}{blank}{right}"
        return f"({text})" if self.chance(0.5) else text

    def json_pattern(self, depth=2):
        return "{ " + self.formula(depth, [3], [2]) + self.pick([" ", ""]) + "}"

    def terms(self):
        texts = ["ConsoleLogin", "ERROR", "ARGUMENTS", "BAD", "Root", "eventName", "null", "12", "Trail", "x"]
        texts += ['"Failed authentication"', '"No username"', '"[ERROR 400]"', '"10.1.2.3"', '"\\"a\\":"']
        signs = self.pick([[""], ["?"], ["", "-"], ["", "?"], ["", "-", "?"]])
        count = self.random.randrange(1, 4)
        return " ".join(self.pick(signs) + text for text in self.random.sample(texts, count))

    def space(self):
        tests = ["ip = 127.*", "user = frank", "request = *.html*", "status = 4*", "status = 404", "bytes > 1000",
                 "status < 300", "user != anna", 'word = "12"', "word != %^E%"]
        width = self.pick([2, 3, 4, 7, 7, 7])
        fields = [self.pick(tests) if self.chance(0.25) else "w" for _ in range(width)]
        if self.chance(0.6):
            cut = self.random.randrange(len(fields) + 1)
            fields = fields[:cut] + ["..."] + fields[cut + 1 + self.random.randrange(2):]
        return "[" + self.pick([", ", ","]).join(fields) + "]"

    def pattern(self):
        kind = self.random.random()
        if kind < 0.82:
            return self.json_pattern()
        if kind < 0.93:
            return self.terms()
        if kind < 0.96:
            return f"%{self.pick(REGEXES)}%"
        return self.space() if kind < 0.99 else self.pick(["", " "])


def generate(seed, blocks, patterns, events):
    generator = Generator(seed)
    for _ in range(blocks):
        messages = [generator.event() for _ in range(events)]
        texts = [generator.pattern() for _ in range(patterns)]
        answers = []
        for text in texts:
            pattern = read(text)
            answers.append([pattern.matches(message) for message in messages])
        print(json.dumps({"patterns": texts, "events": messages, "matches": answers}))


def seeds(folder):
    generator = Generator(1)

    def write(target, number, text):
        path = pathlib.Path(folder, target)
        path.mkdir(parents=True, exist_ok=True)
        (path / f"generated-{number:03}").write_text(text, encoding="utf-8")

    for number in range(200):
        write("parse", number, generator.pattern())
        write("matches", number, f"{generator.pattern()}\n{generator.event()}")
        required, other = generator.json_pattern(), generator.json_pattern(1)
        changed = required.replace("&&", "||", 1) if number % 2 else generator.json_pattern()
        write("compare", number, "\n".join([required, changed] + ([other] if number % 3 == 0 else [])))


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "seeds":
        seeds(*arguments)
    else:
        {"generate": generate}[command](*map(int, arguments))
