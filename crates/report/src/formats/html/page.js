"use strict";
(() => {
  const element = (id) => document.getElementById(id);
  const ROW_HEIGHT = 56;
  const PRINTED_ROWS = 2000;

  // The data: one line per text, link or finding. Texts and links are numbered as they come.
  const texts = [];
  const links = [];
  const findings = [];
  let controls = {};
  let names = [];
  let statuses = [[], []];
  let units = {};
  for (const line of element("data").textContent.split("\n")) {
    if (line.length < 2) continue;
    const value = JSON.parse(line.slice(1));
    switch (line[0]) {
      case "t": texts.push(value); break;
      case "l": links.push(value); break;
      case "f": findings.push(value); break;
      case "c": controls = value; break;
      case "n": names = value; break;
      case "s": statuses = value; break;
      case "u": units = value; break;
    }
  }
  const [STATUS, LINK_STATUS] = statuses;
  const LINKS = names.map(([name]) => name);
  const MEANING = names.map(([, meaning]) => meaning);
  const text = (number) => (number < 0 ? "" : texts[number]);
  const [ACCOUNT, NAME, OU, CONTROL, OUTCOME, CIS, EFFECTIVE, BROKEN, REASON, MESSAGE, CHAIN, NOTES, WITNESS, FIX, AUTOMATIC, COMMANDS, OBSERVED, MUTE] = Array(18).keys();
  // Names of organizational units, where they are known: of one by its id, of all on a path.
  const unit = (id) => (Object.hasOwn(units, id) ? units[id] : id);
  const unitNames = (path) => (path.split("/").some((id) => Object.hasOwn(units, id)) ? path.split("/").filter((id) => id.startsWith("ou-")).map(unit).join(" / ") : "");
  const number = (control) => (controls[control] && controls[control].number) || "";

  // What is shown: filters, then order.
  const state = { query: "", status: new Set(), control: "", link: "", ou: "", shared: -1, sort: "status", descending: false };
  const haystacks = new Map();
  const haystack = (index) => {
    let found = haystacks.get(index);
    if (found === undefined) {
      const finding = findings[index];
      found = [finding[ACCOUNT], text(finding[NAME]), text(finding[OU]), unitNames(text(finding[OU])), text(finding[CONTROL]), text(finding[REASON]), text(finding[MESSAGE]), ...finding[NOTES].map(([code]) => text(code))].join("\n").toLowerCase();
      haystacks.set(index, found);
    }
    return found;
  };
  const numeric = new Intl.Collator("en", { numeric: true });
  const KEYS = {
    status: (finding) => finding[OUTCOME],
    account: (finding) => finding[ACCOUNT],
    control: (finding) => numberKeys.get(finding[CONTROL]),
    link: (finding) => finding[BROKEN],
    message: (finding) => text(finding[MESSAGE]),
    assurance: (finding) => finding[CIS] * 8 + finding[EFFECTIVE],
  };
  // Numbers such as 5.10 come after 5.9; ranks are computed once, so that sorting stays cheap.
  const numberKeys = new Map([...new Set(findings.map((finding) => finding[CONTROL]))]
    .sort((one, other) => numeric.compare(number(text(one)), number(text(other))) || numeric.compare(text(one), text(other)))
    .map((control, rank) => [control, rank]));
  let shown = [];

  // The resources of a chain are those of its links: a trail, a log group, a topic.
  const restsOn = (finding, resource) => finding[CHAIN].some((place) => links[place][2] === resource);
  const matches = (finding, index) =>
    (state.status.size === 0 || state.status.has(finding[OUTCOME])) &&
    (state.control === "" || text(finding[CONTROL]) === state.control) &&
    (state.link === "" || LINKS[finding[BROKEN]] === state.link) &&
    (state.ou === "" || `${text(finding[OU])}/`.startsWith(`${state.ou}/`)) &&
    (state.shared < 0 || restsOn(finding, state.shared)) &&
    (state.query === "" || state.query.split(/\s+/).every((word) => haystack(index).includes(word)));

  const select = () => {
    shown = [];
    for (let index = 0; index < findings.length; index += 1) {
      if (matches(findings[index], index)) shown.push(index);
    }
    const key = KEYS[state.sort];
    const keys = new Map(shown.map((index) => [index, key(findings[index])]));
    const sign = state.descending ? -1 : 1;
    shown.sort((one, other) => {
      const a = keys.get(one);
      const b = keys.get(other);
      return a === b ? one - other : (a < b ? -sign : sign);
    });
    element("view").scrollTop = 0;
    focused = 0;
    element("body").style.height = `${shown.length * ROW_HEIGHT}px`;
    element("view").classList.toggle("short", shown.length * ROW_HEIGHT < 400);
    element("table").setAttribute("aria-rowcount", String(shown.length + 1));
    element("empty").hidden = shown.length > 0;
    element("tally").textContent = `${shown.length.toLocaleString("en")} of ${findings.length.toLocaleString("en")} findings`;
    tell();
    if (!element("finding").open) address();
    draw(true);
  };

  // What is shown has an address, which can be sent to somebody who has the same report.
  const address = () => {
    const asked = new URLSearchParams();
    if (state.query) asked.set("search", state.query);
    if (state.status.size > 0) asked.set("status", [...state.status].map((status) => STATUS[status]).join(","));
    for (const name of ["control", "link", "ou"]) {
      if (state[name]) asked.set(name, state[name]);
    }
    if (state.shared >= 0) asked.set("shared", String(state.shared));
    if (state.sort !== "status" || state.descending) asked.set("sort", `${state.descending ? "-" : ""}${state.sort}`);
    const filters = String(asked);
    if (filters || location.hash) history.replaceState(null, "", filters ? `#?${filters}` : "#findings");
  };
  const filterBy = (filters) => {
    const asked = new URLSearchParams(filters);
    const known = (name) => {
      const value = asked.get(name) || "";
      return [...element(name).options].some((option) => option.value === value) ? value : "";
    };
    const shared = Number(asked.get("shared") || -1);
    const sort = asked.get("sort") || "status";
    Object.assign(state, {
      query: (asked.get("search") || "").trim().toLowerCase(),
      status: new Set((asked.get("status") || "").split(",").map((status) => STATUS.indexOf(status)).filter((status) => status >= 0)),
      control: known("control"),
      link: known("link"),
      ou: known("ou"),
      shared: links.some(([, , resource]) => resource === shared) ? shared : -1,
      sort: Object.hasOwn(KEYS, sort.replace("-", "")) ? sort.replace("-", "") : "status",
      descending: sort.startsWith("-"),
    });
    element("query").value = state.query;
    refresh();
  };

  // Above the table: what the chosen control asks for and how it is met, and the trail, or whatever
  // else, that the chosen findings share.
  const tell = () => {
    const parts = [];
    const about = controls[state.control];
    if (about) {
      const counts = STATUS.map((status, place) => [status, findings.filter((finding) => finding[OUTCOME] === place && text(finding[CONTROL]) === state.control).length]).filter(([, count]) => count > 0);
      const line = make("p", "yardsticks");
      for (const [status, count] of counts) {
        const one = make("span");
        one.append(badge(status), ` ${count.toLocaleString("en")}`);
        line.append(one);
      }
      parts.push(make("h3", "", `${about.number || ""} ${about.title}`.trim()), make("p", "soft", about.description), line);
    }
    if (state.shared >= 0) {
      parts.push(isolated("p", "", `Findings with this in their chain: ${text(state.shared)}`));
    }
    element("chosen").replaceChildren(...parts);
    element("chosen").hidden = parts.length === 0;
  };

  // The table: only the rows in view exist.
  const make = (tag, className, content) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (content !== undefined) made.textContent = content;
    return made;
  };
  const isolated = (tag, className, content) => {
    const made = make(tag, className);
    made.append(make("bdi", "", content));
    if (content) made.title = content;
    return made;
  };
  const cell = (...children) => {
    const made = make("div");
    made.setAttribute("role", "gridcell");
    made.append(...children);
    return made;
  };
  const two = (first, second) => {
    const made = cell(isolated("span", "", first), isolated("span", "soft", second));
    made.className = "two";
    return made;
  };
  const message = (finding) => {
    const made = cell(isolated("span", "", text(finding[MESSAGE])));
    made.className = "message";
    return made;
  };
  const badge = (status) => make("span", `badge ${status}`, status.replace("_", " "));
  let focused = 0;
  let drawn = [-1, -1];
  const rowOf = (position) => {
    const index = shown[position];
    const finding = findings[index];
    const row = make("div", "row");
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", String(position + 2));
    row.dataset.position = String(position);
    row.tabIndex = position === focused ? 0 : -1;
    row.style.top = `${position * ROW_HEIGHT}px`;
    const control = text(finding[CONTROL]);
    const link = finding[BROKEN] < 0 ? "" : LINKS[finding[BROKEN]];
    const assurance = make("span", "soft", `${STATUS[finding[CIS]]} / ${STATUS[finding[EFFECTIVE]]}`.replaceAll("NOT_APPLICABLE", "N/A"));
    row.append(
      cell(badge(STATUS[finding[OUTCOME]])),
      two(finding[ACCOUNT], text(finding[NAME])),
      two(control, number(control)),
      cell(link),
      message(finding),
      cell(assurance),
    );
    return row;
  };
  const draw = (force) => {
    const view = element("view");
    const first = Math.max(0, Math.floor(view.scrollTop / ROW_HEIGHT) - 8);
    const last = Math.min(shown.length, Math.ceil((view.scrollTop + view.clientHeight) / ROW_HEIGHT) + 8);
    if (!force && drawn[0] === first && drawn[1] === last) return;
    const hadFocus = element("body").contains(document.activeElement);
    drawn = [first, last];
    const rows = document.createDocumentFragment();
    for (let position = first; position < last; position += 1) rows.append(rowOf(position));
    element("body").replaceChildren(rows);
    if (hadFocus) focusRow(focused, false);
    // One row can always be reached with the keyboard, wherever the table was scrolled to.
    else if (first < last && (focused < first || focused >= last)) element("body").firstElementChild.tabIndex = 0;
  };
  const focusRow = (position, scroll) => {
    focused = Math.max(0, Math.min(shown.length - 1, position));
    const view = element("view");
    if (scroll) {
      const top = focused * ROW_HEIGHT;
      if (top < view.scrollTop) view.scrollTop = top;
      if (top + ROW_HEIGHT > view.scrollTop + view.clientHeight) view.scrollTop = top + ROW_HEIGHT - view.clientHeight;
      draw(true);
    }
    for (const row of element("body").children) {
      const current = Number(row.dataset.position) === focused;
      row.tabIndex = current ? 0 : -1;
      if (current) row.focus({ preventScroll: true });
    }
  };

  // A text that is typed in elsewhere, with a button that copies it.
  const copied = (content) => {
    const made = make("div", "copied");
    const button = make("button", "plain", "Copy");
    button.type = "button";
    const source = make("pre", "", content);
    button.addEventListener("click", async () => {
      let done = true;
      try {
        await navigator.clipboard.writeText(content);
      } catch {
        // Without leave, the text is marked for the keyboard.
        getSelection().selectAllChildren(source);
        done = false;
      }
      button.textContent = done ? "Copied" : "Marked";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    made.append(source, button);
    return made;
  };

  // One finding in full.
  const time = (stamp) => stamp.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC");
  const section = (title, ...children) => {
    const made = make("section");
    made.append(make("h3", "", title), ...children);
    return made;
  };
  const chainOf = (finding) => {
    const list = make("ol", "chain");
    const told = new Set();
    for (const place of finding[CHAIN]) {
      const [name, status, resource, account, region, detail] = links[place];
      const item = make("li", `${LINK_STATUS[status]}-link`);
      const dot = make("span", `dot ${LINK_STATUS[status]}`);
      dot.append(make("span", "hidden", LINK_STATUS[status]));
      const title = make("div", "name", LINKS[name]);
      title.append(" ", make("span", "soft", MEANING[name]));
      item.append(dot, title);
      if (detail >= 0) item.append(isolated("div", "detail", text(detail)));
      const place_ = [text(account), text(region)].filter(Boolean).join(" \u00b7 ");
      if (resource >= 0) item.append(isolated("div", "arn", text(resource)));
      if (place_) item.append(make("div", "arn", place_));
      const others = resource < 0 || told.has(resource) ? 0 : findings.filter((other) => other !== finding && restsOn(other, resource)).length;
      told.add(resource);
      if (others > 0) {
        const button = make("button", "plain shared", `also in ${others.toLocaleString("en")} other ${others === 1 ? "finding" : "findings"}`);
        button.type = "button";
        button.addEventListener("click", () => {
          clear();
          state.shared = resource;
          element("finding").close();
          refresh();
          element("findings").scrollIntoView();
        });
        item.append(button);
      }
      list.append(item);
    }
    return list;
  };
  const identifier = (finding) => `${finding[ACCOUNT]}/${text(finding[CONTROL])}`;
  const show = (index, from) => {
    const finding = findings[index];
    const control = text(finding[CONTROL]);
    const about = controls[control] || {};
    const sheet = make("div", "sheet");
    const header = make("header");
    const line = make("div", "line");
    const button = (label, action) => {
      const made = make("button", "plain", label);
      made.type = "button";
      made.addEventListener("click", action);
      return made;
    };
    const close = button("Close", () => element("finding").close());
    const buttons = make("div", "buttons");
    const place = shown.indexOf(index);
    if (place >= 0 && shown.length > 1) {
      const previous = button("Previous", () => { focused = place - 1; show(shown[focused], "previous"); });
      const next = button("Next", () => { focused = place + 1; show(shown[focused], "next"); });
      previous.disabled = place === 0;
      next.disabled = place === shown.length - 1;
      previous.dataset.step = "previous";
      next.dataset.step = "next";
      buttons.append(make("span", "soft place", `${(place + 1).toLocaleString("en")} of ${shown.length.toLocaleString("en")}`), previous, next);
    }
    buttons.append(close);
    line.append(badge(STATUS[finding[OUTCOME]]), make("span", "soft mono", identifier(finding)), buttons);
    const title = isolated("h2", "", `${finding[ACCOUNT]} ${text(finding[NAME])}`.trim());
    title.id = "finding-title";
    header.append(line, title, isolated("p", "soft", `${about.number || ""} ${about.title || control}`.trim()));
    if (finding[OU] >= 0) header.append(isolated("p", "soft mono", text(finding[OU])));
    if (unitNames(text(finding[OU]))) header.append(isolated("p", "soft", unitNames(text(finding[OU]))));
    sheet.append(header, isolated("p", "lead", text(finding[MESSAGE])));
    const yardsticks = make("div", "yardsticks");
    for (const [label, status] of [["By the benchmark\u2019s steps ", finding[CIS]], ["Would the message arrive? ", finding[EFFECTIVE]]]) {
      const one = make("span", "", label);
      one.append(badge(STATUS[status]));
      yardsticks.append(one);
    }
    if (finding[REASON] >= 0) {
      const reason = make("span", "", "Reason ");
      reason.append(make("code", "", text(finding[REASON])));
      yardsticks.append(reason);
    }
    sheet.append(yardsticks);
    if (finding[MUTE]) {
      const [status, justification, owner, expires] = finding[MUTE];
      sheet.append(section("Accepted",
        isolated("p", "", `${STATUS[status]}, accepted by ${text(owner)} until ${time(text(expires))}`),
        isolated("p", "", text(justification))));
    }
    if (finding[FIX] >= 0) {
      const parts = [isolated("p", "", text(finding[FIX]))];
      if (finding[AUTOMATIC]) parts.push(make("p", "soft", "trailproof fix can do this: it plans first and changes nothing without consent."));
      if (finding[COMMANDS].length > 0) {
        const commands = make("div", "commands");
        commands.append(...finding[COMMANDS].map((command) => copied(text(command))));
        parts.push(make("p", "soft", "Or by hand, in the account itself:"), commands);
      }
      sheet.append(section("How to fix it", ...parts));
    }
    if (finding[CHAIN].length > 0) sheet.append(section("The chain, link by link", chainOf(finding)));
    if (finding[NOTES].length > 0) {
      const list = make("ul", "notes");
      for (const [code, message] of finding[NOTES]) {
        const item = make("li");
        item.append(make("code", "", text(code)), " ", isolated("span", "", text(message)));
        list.append(item);
      }
      sheet.append(section("Worth knowing", list));
    }
    if (finding[WITNESS] >= 0) {
      sheet.append(section("An event that would be missed", make("p", "soft", "The control asks for events like this one, and it would reach nobody. It is an example, not something that happened."), make("pre", "", text(finding[WITNESS]))));
    }
    if (about.pattern) {
      sheet.append(section("What is required", make("p", "soft", about.description || ""), copied(about.pattern)));
    }
    if (finding[OBSERVED] >= 0) sheet.append(make("p", "soft", `Last observed: ${time(text(finding[OBSERVED]))}`));
    // Printed alone, a finding still says of what report it is.
    for (const banner of document.querySelectorAll("header .banner")) sheet.append(make("p", "paper", banner.textContent));
    sheet.append(make("p", "paper", `${document.title} ${document.querySelector("footer").textContent.split(". ")[0]}.`));
    const dialog = element("finding");
    dialog.replaceChildren(sheet);
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    const step = from && dialog.querySelector(`[data-step="${from}"]:not(:disabled)`);
    (step || close).focus();
    history.replaceState(null, "", `#${encodeURIComponent(identifier(finding))}`);
  };
  element("finding").addEventListener("close", () => {
    address();
    focusRow(focused, true);
  });
  element("finding").addEventListener("click", (event) => {
    if (event.target === element("finding")) element("finding").close();
  });

  // Events.
  element("view").addEventListener("scroll", () => draw(false), { passive: true });
  addEventListener("resize", () => draw(true));
  element("body").addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (!row) return;
    focusRow(Number(row.dataset.position), false);
    show(shown[focused]);
  });
  element("body").addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(element("view").clientHeight / ROW_HEIGHT) - 1);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -shown.length, End: shown.length }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      focusRow(focused + step, true);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      show(shown[focused]);
    }
  });
  for (const button of document.querySelectorAll("[data-sort]")) {
    button.addEventListener("click", () => {
      const sort = button.dataset.sort;
      state.descending = state.sort === sort && !state.descending;
      state.sort = sort;
      refresh();
    });
  }
  const chips = [...document.querySelectorAll("[data-status]")];
  const refresh = () => {
    for (const chip of chips) chip.setAttribute("aria-pressed", String(state.status.has(STATUS.indexOf(chip.dataset.status))));
    element("control").value = state.control;
    element("link").value = state.link;
    element("ou").value = state.ou;
    for (const button of document.querySelectorAll("[data-sort]")) {
      const order = state.descending ? "descending" : "ascending";
      if (button.dataset.sort === state.sort) button.parentElement.setAttribute("aria-sort", order);
      else button.parentElement.removeAttribute("aria-sort");
    }
    select();
  };
  const clear = () => {
    Object.assign(state, { query: "", control: "", link: "", ou: "", shared: -1 });
    state.status.clear();
    element("query").value = "";
  };
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      const status = STATUS.indexOf(chip.dataset.status);
      if (!state.status.delete(status)) state.status.add(status);
      refresh();
    });
  }
  for (const name of ["control", "link", "ou"]) {
    element(name).addEventListener("change", (event) => {
      state[name] = event.target.value;
      select();
    });
  }
  let waiting = 0;
  element("query").addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      state.query = event.target.value.trim().toLowerCase();
      select();
    }, 60);
  });
  element("reset").addEventListener("click", () => {
    clear();
    refresh();
  });
  for (const button of document.querySelectorAll("[data-filter]")) {
    button.addEventListener("click", () => {
      clear();
      state[button.dataset.filter] = button.dataset.value;
      element("query").value = state.query;
      refresh();
      element("findings").scrollIntoView();
    });
  }

  // Choices of the filters.
  const choices = (name, values, label) => {
    for (const value of values) {
      const option = make("option", "", label(value));
      option.value = value;
      element(name).append(option);
    }
  };
  const distinct = (values) => [...new Set(values)];
  // A unit can be chosen with everything below it, so those between it and the root are choices too.
  const above = (path) => path.split("/").map((_, place, parts) => parts.slice(0, place + 1).join("/")).slice(Math.min(1, path.split("/").length - 1));
  choices("control", distinct(findings.map((finding) => text(finding[CONTROL]))).sort((one, other) => numeric.compare(number(one), number(other))), (value) => `${number(value)} ${value}`.trim());
  choices("link", LINKS.filter((link, place) => findings.some((finding) => finding[BROKEN] === place)), (value) => value);
  choices("ou", distinct(distinct(findings.map((finding) => text(finding[OU]))).filter(Boolean).flatMap(above)).sort(), (value) => "\u00a0\u00a0".repeat(Math.max(0, value.split("/").length - 2)) + unit(value.split("/").slice(-1)[0]));

  // On paper the rows of the selection are written out.
  const selection = () => {
    const parts = [
      state.query && `search for \u201c${state.query}\u201d`,
      state.status.size > 0 && `status ${[...state.status].map((status) => STATUS[status]).join(" or ")}`,
      state.control && `control ${state.control}`,
      state.link && `broken link ${state.link}`,
      state.shared >= 0 && `with ${text(state.shared)} in their chain`,
      state.ou && `unit ${state.ou}${unitNames(state.ou) && ` (${unitNames(state.ou)})`}`,
    ].filter(Boolean);
    const all = `${findings.length.toLocaleString("en")} findings`;
    return parts.length === 0 ? `All ${all}.` : `${shown.length.toLocaleString("en")} of ${all}: ${parts.join(", ")}.`;
  };
  const paper = () => {
    element("printed").textContent = selection();
    const rows = document.createDocumentFragment();
    for (const index of shown.slice(0, PRINTED_ROWS)) {
      const finding = findings[index];
      const row = make("tr");
      const status = make("td");
      status.append(badge(STATUS[finding[OUTCOME]]));
      row.append(status, isolated("td", "", `${finding[ACCOUNT]} ${text(finding[NAME])}`), make("td", "", `${number(text(finding[CONTROL]))} ${text(finding[CONTROL])}`), make("td", "", text(finding[REASON])), isolated("td", "", text(finding[MESSAGE])));
      rows.append(row);
    }
    if (shown.length > PRINTED_ROWS) {
      const row = make("tr");
      const note = make("td", "", `${(shown.length - PRINTED_ROWS).toLocaleString("en")} further findings are not printed. Filter first, or use findings.csv.`);
      note.colSpan = 5;
      row.append(note);
      rows.append(row);
    }
    element("paper").replaceChildren(rows);
  };
  // Paper cannot be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    paper();
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const details of folded) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of folded) details.open = false;
  });

  // Buttons that need this script are dead in the page without it.
  for (const button of document.querySelectorAll("[data-filter][disabled]")) button.disabled = button.hasAttribute("data-dead");
  document.body.classList.add("scripted");
  element("loading").hidden = true;
  // A finding and a selection have addresses, which also work when they are pasted into an open page.
  const visit = () => {
    if (location.hash.startsWith("#?")) {
      element("finding").close();
      filterBy(location.hash.slice(2));
      return;
    }
    let asked = "";
    try {
      asked = decodeURIComponent(location.hash.slice(1));
    } catch {
      return;
    }
    if (!asked.includes("/")) return;
    const index = findings.findIndex((finding) => identifier(finding) === asked);
    if (index < 0) return;
    focused = Math.max(0, shown.indexOf(index));
    show(index);
  };
  addEventListener("hashchange", visit);
  const first = location.hash;
  select();
  if (first) history.replaceState(null, "", first);
  visit();
})();
