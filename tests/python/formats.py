"""Opens every report of a run with somebody else's code. Prints what is wrong as a JSON list.

Usage: formats.py RUN_DIRECTORY SCHEMAS ROOT
"""

import csv
import json
import pathlib
import re
import sys

import botocore.session
import botocore.validate
import jsonschema
import junitparser
import openpyxl
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

run, schemas, root = (pathlib.Path(argument) for argument in sys.argv[1:4])
wrong = []


def check(condition, message):
    if not condition:
        wrong.append(message)


# The domain's own form, by its checked-in schema.
document = json.loads((run / "findings.json").read_text("utf-8"))
findings = document["findings"]
schema = json.loads((root / "docs/schema/findings.schema.json").read_text("utf-8"))
for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
    wrong.append(f"findings.json: {error.json_path}: {error.message[:200]}")
statuses = {finding["id"]: finding["status"] for finding in findings}
count = lambda *wanted: sum(status in wanted for status in statuses.values())

# The documented configuration file, by its checked-in schema.
try:
    import tomllib
except ImportError:
    print("the schema of trailproof.toml was not tried: Python 3.11 reads TOML", file=sys.stderr)
else:
    example = tomllib.loads((root / "docs/trailproof.toml").read_text("utf-8"))
    example = json.loads(json.dumps(example, default=lambda date: date.isoformat()))
    schema = json.loads((root / "docs/schema/config.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for error in validator.iter_errors(example):
        wrong.append(f"trailproof.toml: {error.json_path}: {error.message[:200]}")
    for refused in ({"rol": "x"}, {"mute": [{"owner": "x"}]}, {"sweep": "half"}, {"tag": "one"}):
        check(not validator.is_valid(refused), f"the schema of trailproof.toml accepts {refused}")

# NDJSON has the same findings.
lines = (run / "findings.ndjson").read_text("utf-8").split("\n")
check(lines.pop() == "", "findings.ndjson does not end with a line break")
check([json.loads(line) for line in lines] == findings, "findings.ndjson differs from findings.json")


# CSV: Python's reader, then a spreadsheet library, which would make formulas of such cells.
def spreadsheet(name):
    with open(run / name, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    sheet = openpyxl.Workbook().active
    for number, row in enumerate(rows, 1):
        check(len(row) == len(rows[0]), f"{name}: row {number} has {len(row)} cells")
        for column, text in enumerate(row, 1):
            # What the library refuses to hold at all is shown, not executed.
            text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "?", text)[:32000]
            cell = sheet.cell(number, column, text)
            check(cell.data_type != "f", f"{name}: cell {number},{column} is a formula: {text!r}")
            harmless = re.fullmatch(r"-?[0-9.]+", text) or not re.match(r"[\s\"']*[=+@-]", text) or text[0] == "'"
            check(harmless, f"{name}: cell {number},{column} may be taken for a formula: {text!r}")
    return rows


rows = spreadsheet("findings.csv")
header = rows[0]
by_id = {row[header.index("id")]: row[header.index("status")] for row in rows[1:]}
check(by_id == statuses, "findings.csv has other findings")
rows = spreadsheet("pivot.csv")
first = rows[0].index("worst") + 1
controls = rows[0][first:]
pivot = {f"{row[0]}/{control}": cell for row in rows[1:] for control, cell in zip(controls, row[first:])}
check(pivot == statuses, "pivot.csv has other findings")
spreadsheet("trails.csv")
spreadsheet("recipients.csv")

# The workbook: every cell is a value, ids are texts, headers stay and can be filtered.
workbook = openpyxl.load_workbook(run / "findings.xlsx")
check(
    workbook.sheetnames == ["findings", "accounts x controls", "trails", "recipients", "run"],
    f"findings.xlsx has the sheets {workbook.sheetnames}",
)
colors = {}
for sheet in workbook:
    check(sheet.freeze_panes == "A2", f"findings.xlsx: the header of {sheet.title} does not stay")
    check(sheet.auto_filter.ref is not None, f"findings.xlsx: {sheet.title} has no filters")
    check(sheet.max_column == len([cell for cell in sheet[1] if cell.value]), f"findings.xlsx: {sheet.title} header")
    for row in sheet.iter_rows():
        for cell in row:
            check(cell.data_type != "f", f"findings.xlsx: {sheet.title} {cell.coordinate} is a formula")
            if cell.value in ("PASS", "FAIL", "UNKNOWN", "MUTED", "NOT_APPLICABLE") and cell.column > 1:
                colors.setdefault(cell.value, set()).add(cell.fill.start_color.rgb)
check(all(len(found) == 1 for found in colors.values()), f"findings.xlsx: colors {colors}")
check(len({next(iter(found)) for found in colors.values()}) == len(colors), f"findings.xlsx: colors {colors}")

last = workbook["findings"].print_area.replace("$", "").split(":")[-1]
last = workbook["findings"][re.sub(r"[0-9]+", "1", last)].value
check(last == "message", f"findings.xlsx is printed up to {last}")


def records(title):
    rows = list(workbook[title].iter_rows(values_only=True))
    return [dict(zip(rows[0], row)) for row in rows[1:]]


rows = records("findings")
check({row["id"]: row["status"] for row in rows} == statuses, "findings.xlsx has other findings")
for row in rows:
    check(isinstance(row["account_id"], str) and len(row["account_id"]) == 12, f"findings.xlsx: {row['account_id']!r}")
    check(f"{row['account_id']}/{row['control']}" == row["id"], f"findings.xlsx: {row['id']}")
    check(row["number"] is None or re.fullmatch(r"CIS [0-9.]+", row["number"]), f"findings.xlsx: {row['number']!r}")
    check(row["observed_at (UTC)"] is None or row["observed_at (UTC)"].year == 2026, "findings.xlsx: a time is none")
matrix = {}
for row in records("accounts x controls"):
    for name, status in row.items():
        if name not in ("account_id", "account_name", "ou", "worst"):
            matrix[f"{row['account_id']}/{name.split(' ')[-1]}"] = status
check(matrix == statuses, "findings.xlsx: accounts x controls has other findings")

# Ten lines for a chat, in which nobody else has a say.
lines = (run / "summary.md").read_text("utf-8").splitlines()
check(3 <= len(lines) <= 10, f"summary.md has {len(lines)} lines")
check(all(line.startswith(("**", "- ")) for line in lines), f"summary.md: {lines}")

# JUnit.
suites = junitparser.JUnitXml.fromfile(str(run / "junit.xml"))
check(suites.tests == len(findings), "junit.xml: number of tests")
check(suites.failures == count("FAIL"), "junit.xml: number of failures")
check(suites.errors == count("UNKNOWN"), "junit.xml: number of errors")
cases = [case for suite in suites for case in suite]
check(len(cases) == len(findings), "junit.xml: number of cases")
for case in cases:
    account = case.name.split(" ")[0]
    kind = {"Failure": "FAIL", "Error": "UNKNOWN"}.get(type(case.result[0]).__name__ if case.result else "")
    status = statuses.get(f"{account}/{case.classname}")
    check(kind is None or kind == status, f"junit.xml: {case.name} is {kind}, not {status}")

# ASFF, by the model that boto3 sends it with, and by the limits that the model only describes.
service = botocore.session.get_session().get_service_model("securityhub")
shape = service.operation_model("BatchImportFindings").input_shape
limits = {"Title": 256, "Description": 1024, "Id": 512, "GeneratorId": 512}


def texts(value, path):
    if isinstance(value, dict):
        for name, member in value.items():
            yield from texts(member, f"{path}.{name}")
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from texts(member, f"{path}[{place}]")
    else:
        yield path, value


seen = set()
for request in json.loads((run / "findings.asff.json").read_text("utf-8")):
    report = botocore.validate.ParamValidator().validate(request, shape)
    check(not report.has_errors(), f"asff: {report.generate_report()[:300]}")
    batch = request["Findings"]
    check(1 <= len(batch) <= 100, f"asff: a request of {len(batch)} findings")
    check(len({finding["AwsAccountId"] for finding in batch}) == 1, "asff: a request mixes accounts")
    for finding in batch:
        seen.add(finding["Id"].removeprefix("trailproof/"))
        for name, limit in limits.items():
            check(1 <= len(finding[name]) <= limit, f"asff: {finding['Id']}: {name} is too long")
        check(len(json.dumps(finding)) <= 240_000, f"asff: {finding['Id']} is larger than 240 KB")
        check(len(finding["Resources"]) <= 32, f"asff: {finding['Id']}: too many resources")
        check(len(finding["Compliance"].get("RelatedRequirements", [])) <= 32, f"asff: {finding['Id']}: too many requirements")
        fields = finding["ProductFields"]
        check(len(fields) <= 50, f"asff: {finding['Id']}: too many product fields")
        for key, value in fields.items():
            check(len(key) <= 128 and 1 <= len(value) <= 2048, f"asff: {finding['Id']}: {key}")
        for path, value in texts(finding, finding["Id"]):
            # The pattern of NonEmptyString, which the client does not check.
            check(not isinstance(value, str) or re.search(r"\S", value), f"asff: {path} is blank")
        expected = {"PASS": "PASSED", "FAIL": "FAILED", "UNKNOWN": "WARNING", "NOT_APPLICABLE": "NOT_AVAILABLE"}
        status = statuses[finding["Id"].removeprefix("trailproof/")]
        check(status == "MUTED" or finding["Compliance"]["Status"] == expected[status], f"asff: status of {finding['Id']}")
check(seen == set(statuses), "asff has other findings")

# OCSF, by a hand-written schema of 1.8.0 and by the models of another project.
schema = json.loads((schemas / "ocsf-compliance-finding.schema.json").read_text("utf-8"))
validator = jsonschema.Draft202012Validator(schema)
events = json.loads((run / "findings.ocsf.json").read_text("utf-8"))
check([event["finding_info"]["uid"] for event in events] == list(statuses), "ocsf has other findings")
for event in events:
    for error in validator.iter_errors(event):
        wrong.append(f"ocsf: {error.json_path}: {error.message[:200]}")
    try:
        ComplianceFinding.model_validate(event)
    except ValueError as error:
        wrong.append(f"ocsf: {str(error)[:300]}")

# Markdown: nothing that a renderer would take for markup of its own, and one line per finding.
markdown = (run / "report.md").read_text("utf-8")
listed = [line for line in markdown.split("\n") if re.match(r"\| [0-9]{12} ", line)]
check(len(listed) == count("FAIL", "UNKNOWN", "MUTED"), f"report.md lists {len(listed)} findings")
check(re.match(r"# trailproof: .*\?\n\n\*\*(Not met|Not proved)", markdown), "report.md does not open with its conclusion")
check(not re.search(r"(?<!\\)\]\(|<script|<img|(?<!\\)://", markdown), "report.md has foreign markup")

for name in ("report.md", "junit.xml", "report.html"):
    text = (run / name).read_text("utf-8")
    found = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    check(not found, f"{name} has a control character: {found and ascii(text[found.start() - 40:found.end()])}")

json.dump(wrong[:40], sys.stdout)
