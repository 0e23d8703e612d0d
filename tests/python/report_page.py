"""Uses report.html as a reader would, in headless Chromium: filters, sorts, opens and prints.

Prints what is wrong as a JSON list.  Usage: report_page.py CHROMIUM RUN_DIRECTORY
"""

import base64
import hashlib
import html
import json
import pathlib
import re
import subprocess
import sys
import tempfile

chromium, run = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
document = json.loads((run / "findings.json").read_text("utf-8"))
findings = document["findings"]
evaluated_at = document["run"]["policy"]["evaluated_at"]
page = (run / "report.html").read_text("utf-8")
by_status = {}
for finding in findings:
    by_status[finding["status"]] = by_status.get(finding["status"], 0) + 1


def searched(finding):
    account, control = finding["account"], finding["control"]
    texts = [account["id"], account["name"], account["ou_path"], " / ".join(account.get("ou_names", [])), control["id"], finding["reason"], finding["message"]]
    texts += [observation["code"] for observation in finding["observations"]]
    return "\n".join(text or "" for text in texts).lower()


# A finding with a chain that its account and control tell from all others.
opened = next(
    finding
    for finding in findings
    if finding["chain"]
    and sum(
        finding["account"]["id"] in searched(other) and finding["control"]["id"] in searched(other)
        for other in findings
    )
    == 1
)


def resources(finding):
    return {link["resource"] for link in finding["chain"] if link.get("resource")}


# How many others have one of its resources in their chain, at most.
shared = max(
    (
        sum(resource in resources(other) for other in findings if other is not opened)
        for resource in resources(opened)
    ),
    default=0,
)

# The page's policy runs only scripts whose hash it names, so the reader's hash is added.
reader = """
(async () => {
  const expected = EXPECTED;
  const wrong = [];
  const check = (condition, message) => { if (!condition) wrong.push(message); };
  const element = (id) => document.getElementById(id);
  const rows = () => [...document.querySelectorAll("#body .row")];
  const later = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  // What the page does is waited for, not a time: on a busy machine it takes longer.
  const until = async (holds) => {
    for (let tries = 0; tries < 400 && !holds(); tries += 1) await later(25);
    return Boolean(holds());
  };
  const tally = () => Number(element("tally").textContent.split(" ")[0].replaceAll(",", ""));
  const search = async (text) => {
    element("query").value = text;
    element("query").dispatchEvent(new Event("input"));
    await later(200);
  };
  addEventListener("securitypolicyviolation", (event) => wrong.push("policy: " + event.violatedDirective));
  try {
    check(document.title.startsWith("trailproof"), "the title is " + document.title);
    check(tally() === expected.total, "at first there are " + tally());
    check(rows().length > 0 && rows().length < 60, "the table draws " + rows().length + " rows");

    for (const [status, count] of Object.entries(expected.status)) {
      const chip = document.querySelector(`[data-status="${status}"]`);
      chip.click();
      check(chip.getAttribute("aria-pressed") === "true", status + " is not pressed");
      check(tally() === count, status + " shows " + tally());
      check(rows().every((row) => row.querySelector(".badge").classList.contains(status)), status + " shows others");
      chip.click();
    }

    await search(expected.account + " " + expected.control);
    check(tally() === 1, "the search shows " + tally());
    check(rows()[0].textContent.includes(expected.account), "the search shows another account");
    await search("zzz-nothing-has-this");
    check(tally() === 0 && !element("empty").hidden, "nothing is not shown as nothing");
    element("reset").click();
    check(tally() === expected.total, "the filters are not cleared");

    const header = document.querySelector('[data-sort="account"]');
    header.click();
    check(header.parentElement.getAttribute("aria-sort") === "ascending", "the order is not announced");
    check(rows()[0].textContent.includes(expected.first), "the first account is another");
    header.click();
    check(header.parentElement.getAttribute("aria-sort") === "descending", "the order is not turned");
    check(rows()[0].textContent.includes(expected.last), "the last account is another");

    element("view").scrollTop = element("view").scrollHeight;
    // A page hears of it with the next frame, and here are none to rely on.
    element("view").dispatchEvent(new Event("scroll"));
    const shown = () => rows().some((row) => row.textContent.includes(expected.first));
    check(await until(shown), "scrolling to the end does not show it");

    await search(expected.account + " " + expected.control);
    rows()[0].focus();
    rows()[0].dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    const dialog = element("finding");
    check(dialog.open, "the finding does not open");
    check(dialog.querySelectorAll(".chain li").length === expected.links, "the chain has other links");
    check(dialog.textContent.includes(expected.message), "the message is missing");
    check(location.hash.includes(expected.account), "the finding has no address");
    [...dialog.querySelectorAll("button")].find((button) => button.textContent === "Close").click();
    // The page hears of it a moment later, and then takes the finding out of the address.
    await until(() => !dialog.open && !location.hash.includes(expected.account));
    check(!dialog.open, "the finding does not close");
    check(await until(() => document.activeElement.classList.contains("row")), "the focus is lost");

    element("reset").click();
    rows()[0].focus();
    rows()[0].dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
    check(document.activeElement.dataset.position === "1", "the arrow does not move");

    document.querySelector('[data-filter="control"]').click();
    check(element("control").value !== "", "a bar does not filter");
    check(!element("chosen").hidden && element("chosen").querySelectorAll(".badge").length > 0, "the chosen control is not told about");
    check(location.hash.includes("control="), "the selection has no address");
    element("reset").click();
    check(element("chosen").hidden && !location.hash.includes("control="), "a cleared selection leaves " + location.hash);
    const [status, count] = Object.entries(expected.status)[0];
    location.hash = "#?status=" + status + "&sort=-account";
    await until(() => tally() === count && location.hash);
    check(tally() === count, "the address of a selection shows " + tally());
    const pressed = () => document.querySelector(`[data-status="${status}"]`).getAttribute("aria-pressed") === "true";
    check(await until(pressed), "the address presses nothing");
    check(header.parentElement.getAttribute("aria-sort") === "descending", "the address has no order");
    location.hash = "#?status=NONE&control=none&link=none&ou=none&shared=99999999&sort=none";
    check(await until(() => tally() === expected.total), "what is not there filters: " + tally());

    location.hash = "#" + expected.account + "/" + expected.control;
    const opened = () => dialog.open && dialog.textContent.includes(expected.account);
    check(await until(opened), "an address pasted into the open page does not open it");
    check(dialog.querySelectorAll(".copied button").length >= 1, "nothing can be copied");
    const shared = [...dialog.querySelectorAll("button.shared")].find((button) => button.textContent.includes(" " + expected.shared.toLocaleString("en") + " "));
    check(Boolean(shared) === expected.shared > 0, "the findings that share a link are not told");
    if (shared) {
      shared.click();
      await until(() => !dialog.open && tally() === expected.shared + 1);
      check(!dialog.open && tally() === expected.shared + 1, "those that share a link are " + tally());
      check(location.hash.includes("shared="), "they have no address");
      element("reset").click();
      location.hash = "#" + expected.account + "/" + expected.control;
      await until(opened);
    }
    const next = dialog.querySelector('[data-step="next"]:not(:disabled), [data-step="previous"]:not(:disabled)');
    const before = location.hash;
    next.click();
    check(dialog.open && location.hash !== before, "there is no way to the next finding");
    const stepped = location.hash;
    dialog.close();
    await until(() => location.hash !== stepped);
    location.hash = "#%";
    await later(50);
    check(!dialog.open, "an address that is none opens something");

    for (const link of document.querySelectorAll(".links li.whole")) {
      const name = link.querySelector("button").dataset.value;
      check(expected.proved.includes(name), name + " is ticked, and no finding proves it");
    }
    check(element("scope").textContent.includes(expected.judged), "the scope does not say when it was judged");

    dispatchEvent(new Event("beforeprint"));
    check(element("printed").textContent === "All " + expected.total + " findings.", "paper does not say what it shows");
    check(document.querySelectorAll("#paper tr").length === Math.min(expected.total, 2000), "paper has other rows");
    for (const control of document.querySelectorAll("input, select")) {
      check(control.labels.length === 1, control.id + " has no label");
    }
    for (const button of document.querySelectorAll("button")) {
      check(button.textContent.trim() !== "" || button.ariaLabel, "a button has no name");
    }
  } catch (error) {
    wrong.push(String(error.stack || error));
  }
  const outcome = document.createElement("pre");
  outcome.id = "outcome";
  outcome.textContent = JSON.stringify(wrong);
  document.body.append(outcome);
})();
""".replace(
    "EXPECTED",
    json.dumps(
        {
            "total": len(findings),
            "status": by_status,
            "account": opened["account"]["id"],
            "control": opened["control"]["id"],
            "links": len(opened["chain"]),
            "shared": shared,
            "message": opened["message"].split("`")[0],
            "proved": sorted({link["link"] for finding in findings for link in finding["chain"] if link["status"] == "PASS"}),
            "judged": evaluated_at[:19].replace("T", " "),
            "first": min(finding["account"]["id"] for finding in findings),
            "last": max(finding["account"]["id"] for finding in findings),
        }
    ).replace("<", "\\u003c"),
)
digest = base64.b64encode(hashlib.sha256(reader.encode()).digest()).decode()
page = page.replace("script-src '", f"script-src 'sha256-{digest}' '", 1)
page = page.replace("\n</body>", f"<script>{reader}</script>\n</body>", 1)

with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    (folder / "page.html").write_text(page, "utf-8")

    def browse(*arguments):
        return subprocess.run(
            [
                chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
                "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--disable-dev-shm-usage", "--enable-logging=stderr",
                f"--user-data-dir={folder / 'profile'}", *arguments,
            ],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    done = browse("--virtual-time-budget=60000", "--dump-dom", (folder / "page.html").as_uri())
    outcome = re.search(r'<pre id="outcome">(.*?)</pre>', done.stdout, re.S)
    wrong = json.loads(html.unescape(outcome[1])) if outcome else ["the page did not finish: " + done.stderr[-2000:]]
    wrong += [line for line in done.stderr.split("\n") if "CONSOLE" in line]
    done = browse("--no-pdf-header-footer", f"--print-to-pdf={folder / 'page.pdf'}", (run / "report.html").as_uri())
    pdf = (folder / "page.pdf").read_bytes() if (folder / "page.pdf").exists() else b""
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    if not pdf.startswith(b"%PDF") or pages < 2:
        wrong.append(f"printing gives {len(pdf)} bytes and {pages} pages")

json.dump(wrong, sys.stdout)
