/* The control matrix of a day. The rules are those of rareearths/controls: a test compares the two on every day of change. */
(() => {
  "use strict";
  const LETTERS = { goods: "G", technology: "T", equipment: "E", output: "O" };
  const WEAK = ["quota", "duty", "reporting"];
  const BEARING = ["in force", "suspended", "not known to this record"];
  const full = (text) => text && text + "-01-01".slice(text.length - 4, 6);
  const make = (tag, properties, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };
  window.rareearthsControls = (record) => {
    const box = document.getElementById("control-matrix");
    const { from, to, days, record: page } = box.dataset;
    const form = box.querySelector("form");
    const state = box.querySelector(".cm-state");
    const { day: typed, slide, other, object: shown, back, forth } = form.elements;
    const rows = record.controls.map((row) => ({
      ...row, begins: full(row.effective_from), ends: full(row.effective_to), named: row.targets.includes("military"),
    }));
    const status = (row, day) => {
      if (row.ends && day >= row.ends) return "ended";
      if (day > to) return "not known to this record";
      if (row.suspended_from && row.suspended_from <= day && day <= row.suspended_to) return "suspended";
      return day >= row.begins ? "in force" : "to come";
    };
    const marks = (cell, day) => record.objects.flatMap((object) => {
      if (shown.value && shown.value !== object) return [];
      const all = cell.filter((row) => row.object === object);
      for (const word of BEARING) {
        const here = all.filter((row) => status(row, day) === word);
        if (!here.length) continue;
        const general = here.filter((row) => !row.named);
        const counted = general.length ? general : here;
        const severity = record.severities[Math.min(...counted.map((row) => record.severities.indexOf(row.severity)))];
        const weak = counted.every((row) => row.severity !== severity || (row.flag || "").includes("weak_source"));
        return [{ object, severity, status: word, named: here.some((row) => row.named), weak }];
      }
      return [];
    });
    const said = (mark) =>
      `${mark.object}: ${mark.severity}${mark.status === "in force" ? "" : ` ${mark.status}`}${mark.weak ? ", by a weak source" : ""}${mark.named ? ", and a prohibition for named users" : ""}`;
    const chip = (mark) => {
      let letter = LETTERS[mark.object] + (mark.weak ? "†" : "") + (mark.named ? "*" : "");
      let look = WEAK.includes(mark.severity) ? "cm-weak" : `cm-${mark.severity}`;
      if (mark.status === "suspended") [letter, look] = [`(${letter})`, `${look} cm-suspended`];
      if (mark.status === "not known to this record") [letter, look] = [`${letter}?`, `${look} cm-unknown`];
      return make("span", { className: `cm-chip ${look}`, title: said(mark), textContent: letter });
    };
    const words = (day) => new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
    const cells = [...box.querySelectorAll("td[data-stage]")].map((td) => {
      const [element, stage] = [td.parentElement.dataset.element, td.dataset.stage];
      return { td, element, stage, rows: rows.filter((row) => row.element === element && row.stage === stage) };
    });
    let chosen = null;
    const link = (text, href) => (href ? make("a", { href, textContent: text }) : text);
    const line = (row, ...between) => {
      const measure = record.measures[row.measure_id];
      const dates = [`from ${row.effective_from}`];
      if (row.effective_to) dates.push(`ended ${row.effective_to}`);
      if (row.suspended_from) {
        dates.push(`suspended ${row.suspended_from} to ${row.suspended_to}${row.suspended_to_reported ? ` (reported to ${row.suspended_to_reported}, without a legal text)` : ""}`);
      }
      const source = record.sources[row.source_id];
      return make("li", {}, make("strong", { textContent: `${row.instrument}${row.object_detail ? ` (${row.object_detail})` : ""}` }),
        `, ${row.object}: ${row.severity}, `, ...between, `; ${dates.join("; ")}; ${row.targets}. `,
        link(row.document_no, measure.url), ": ", link(measure.title, page ? `${page}#measure-${row.measure_id.toLowerCase()}` : ""),
        ". Read in ", link(source.title, source.url), `, ${row.locator || "the text"}.`,
        (row.flag || "").includes("weak_source") ? " A weak source: reported, not read in the text." : "",
        row.inference ? " In part inferred by this report." : "");
    };
    const close = make("button", { type: "button", className: "cm-close", textContent: "Close" });
    close.addEventListener("click", () => { const { td } = chosen; chosen = null; detail(); td.querySelector("button").focus(); });
    const detail = () => {
      const place = box.querySelector(".cm-detail");
      for (const cell of cells) cell.td.classList.toggle("cm-chosen", cell === chosen);
      if (!chosen) { place.replaceChildren(); return; }
      const bearing = chosen.rows.filter((row) => BEARING.includes(status(row, typed.value)) && (!shown.value || shown.value === row.object));
      const order = (row) => BEARING.indexOf(status(row, typed.value)) * 10 + record.severities.indexOf(row.severity);
      bearing.sort((a, b) => order(a) - order(b));
      place.replaceChildren(
        make("p", { className: "cm-head", textContent: `${chosen.element}, ${chosen.stage}, ${words(typed.value)} ` }, close),
        bearing.length ? make("ul", {}, ...bearing.map((row) => line(row, status(row, typed.value)))) : make("p", { textContent: "This record has no control here on that day." }),
      );
    };
    const changes = () => {
      const place = box.querySelector(".cm-changes");
      for (const cell of cells) cell.td.classList.remove("cm-changed");
      place.replaceChildren();
      const wrong = sentence(other, "The day to compare with");
      if (wrong) place.append(make("p", { className: "cm-head cm-wrong", textContent: wrong }));
      if (wrong || !other.value) return;
      const [before, after] = [other.value, typed.value].sort();
      const groups = new Map();
      for (const cell of cells) {
        for (const row of cell.rows) {
          const [was, is] = [status(row, before), status(row, after)];
          if (was === is || (shown.value && shown.value !== row.object)) continue;
          cell.td.classList.add("cm-changed");
          const key = [row.measure_id, row.stage, row.object, row.object_detail, was, is].join("|");
          if (!groups.has(key)) groups.set(key, { row, was, is, elements: [] });
          groups.get(key).elements.push(row.element);
        }
      }
      const items = [...groups.values()].map(({ row, was, is, elements }) =>
        line(row, `${elements.length === record.elements.length ? "all 17 elements" : elements.join(", ")}, ${row.stage}: ${was} → ${is}`));
      place.append(
        make("p", { className: "cm-head", textContent: `What changed between ${words(before)} and ${words(after)}` }),
        items.length ? make("ul", {}, ...items) : make("p", { textContent: "Nothing in this record." }),
      );
    };
    const sentence = (input, what) => {
      if (input.validity.badInput || (!input.value && input.required)) return `${what} is no date; write one from ${words(from)} on.`;
      if (input.value && input.value < from) return `${words(input.value)} lies before the record of controls, which begins on ${words(from)}; quotas and duties are older, and their first dates are not in it.`;
      return "";
    };
    const draw = () => {
      const wrong = sentence(typed, "The day");
      state.classList.toggle("cm-wrong", Boolean(wrong));
      if (wrong) { // nothing of another day may stand below it
        state.textContent = wrong;
        chosen = null;
        detail();
        box.querySelector(".cm-changes").replaceChildren();
        for (const cell of cells) { cell.td.replaceChildren(); cell.td.classList.remove("cm-changed"); }
        back.disabled = true;
        forth.disabled = !(typed.value && typed.value < from);
        return;
      }
      const day = typed.value;
      slide.value = Math.round((Date.parse(day > to ? to : day) - Date.parse(from)) / 864e5);
      slide.setAttribute("aria-valuetext", words(day));
      for (const cell of cells) {
        const found = marks(cell.rows, day);
        const button = make("button", { type: "button" }, ...found.map(chip));
        button.setAttribute("aria-label", `${cell.element}, ${cell.stage}: ${found.map(said).join("; ") || "no control in this record"}`);
        button.addEventListener("click", () => { chosen = cell; detail(); });
        cell.td.replaceChildren(button);
      }
      state.textContent = `State on ${words(day)}${day === to ? ", the last day of the record" : ""}.`
        + (day > to ? ` The record ends on ${words(to)}: of what had not ended by then, nothing later is known to it.` : "")
        + " Choose a cell for its documents.";
      back.disabled = !steps.some((step) => step < day);
      forth.disabled = !steps.some((step) => step > day);
      detail();
      changes();
    };
    const steps = [...days.split(","), to].filter((day, place, list) => list.indexOf(day) === place).sort();
    const jump = (day) => { if (day) { typed.value = day; draw(); } };
    back.addEventListener("click", () => jump(steps.filter((step) => step < typed.value).pop()));
    forth.addEventListener("click", () => jump(steps.find((step) => step > typed.value)));
    slide.addEventListener("input", () => jump(new Date(Date.parse(from) + slide.value * 864e5).toISOString().slice(0, 10)));
    for (const input of [typed, other, shown]) input.addEventListener("change", draw);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    const asked = new URLSearchParams(location.search);
    if (/^\d{4}-\d\d-\d\d$/.test(asked.get("day") || "")) typed.value = asked.get("day");
    draw();
  };
})();
