/* Everything works without this file: it adds copy buttons, the note of a number on the spot, and opens what a link points into. */
(() => {
  "use strict";
  // Where the site was built without knowing its address, references get the address it is read at.
  const root = new URL(document.documentElement.dataset.content_root || ".", location.href).href;
  const select = (element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  };
  const copyButton = (label, text, otherwise) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(await text());
        button.textContent = "Copied";
      } catch {
        button.textContent = otherwise();
      }
      setTimeout(() => { button.textContent = label; }, 1500);
    });
    return button;
  };
  const whole = (text, address) =>
    address && location.protocol.startsWith("http") ? text.replaceAll(`${address}#`, `${root}${address}#`) : text;
  for (const box of document.querySelectorAll(".ev-copy")) {
    const pre = box.querySelector("pre");
    pre.textContent = whole(pre.textContent, box.closest("figure").dataset.address);
    box.append(copyButton("Copy", () => pre.textContent, () => {
      select(pre);
      return document.execCommand("copy") ? "Copied" : "Selected";
    }));
  }
  if (location.protocol.startsWith("http")) {
    for (const link of document.querySelectorAll(".ev-copyable")) {
      const text = async () => whole(await (await fetch(link.href)).text(), link.closest("figure").dataset.address);
      link.after(" ", copyButton(`Copy ${link.textContent}`, text, () => "Not copied"));
    }
  }

  const reveal = () => {
    const name = decodeURIComponent(location.hash.slice(1));
    const target = name && (document.getElementById(name) || document.getElementById(name.toLowerCase())); // #measure-M057 too
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView({ behavior: "instant" });
  };
  addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) reveal();
  });
  addEventListener("hashchange", reveal);
  reveal();

  let pop = null;
  const close = () => { if (pop) { pop.remove(); pop = null; } };
  const show = (link) => {
    const tip = link.getAttribute("aria-description"); // of a term of the glossary; a number or statement has its note
    const note = tip || document.getElementById(link.hash.slice(1));
    if (!note) return;
    close();
    pop = document.createElement("div");
    pop.className = "ev-pop";
    pop.setAttribute("role", "tooltip");
    if (tip) pop.textContent = `${tip}.`; else pop.innerHTML = note.innerHTML;
    document.body.append(pop);
    const box = link.getBoundingClientRect();
    const left = Math.max(16, Math.min(box.left + scrollX, document.documentElement.clientWidth - pop.offsetWidth - 16));
    const below = box.bottom + 6 + pop.offsetHeight < innerHeight || box.top < pop.offsetHeight + 6;
    pop.style.left = `${left}px`;
    pop.style.top = `${scrollY + (below ? box.bottom + 6 : box.top - pop.offsetHeight - 6)}px`;
    pop.addEventListener("mouseleave", close);
  };
  for (const link of document.querySelectorAll("a.ev-term")) {
    link.setAttribute("aria-description", link.title);
    link.removeAttribute("title");
  }
  for (const link of document.querySelectorAll("a.ev-num, a.ev-st, a.ev-term")) {
    let wait = 0;
    link.addEventListener("mouseenter", () => { wait = setTimeout(() => show(link), 120); });
    link.addEventListener("mouseleave", () => {
      clearTimeout(wait);
      setTimeout(() => { if (pop && !pop.matches(":hover")) close(); }, 200);
    });
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", () => setTimeout(() => { if (pop && !pop.contains(document.activeElement)) close(); }, 0));
  }
  addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });

  // Tables that can be searched and sorted. A row is {cells, make}: the texts it is searched by, and its <tr>.
  const words = (text) => text.replace(/(\d),(?=\d{3}\b)/g, "$1").toLowerCase().split(/\s+/).filter(Boolean);
  const number = (text) => (text === "" ? NaN : Number(text.replace(/[,\u2009\s]/g, "").replace("\u2212", "-")));
  const compare = (column, down) => (a, b) => {
    const [x, y] = [a.cells[column], b.cells[column]];
    if (x === "" || y === "") return (x === "") - (y === ""); // blanks last, whichever way
    const [m, n] = [number(x), number(y)];
    const order = Number.isNaN(m) || Number.isNaN(n) ? x.localeCompare(y, "en", { numeric: true }) : m - n;
    return down ? -order : order;
  };
  const chooser = (name, place, rows, choose) => {
    const label = document.createElement("label");
    const options = new Set(rows.flatMap((row) => row.facets[place]));
    label.innerHTML = "<span></span> <select><option value=''>all</option></select>";
    label.firstElementChild.textContent = name;
    for (const value of [...options].sort((x, y) => x.localeCompare(y, "en", { numeric: true }))) label.lastElementChild.add(new Option(value));
    label.lastElementChild.addEventListener("change", choose);
    return label;
  };
  const grid = (table, rows, status, step) => {
    const box = table.closest(".cat-scroll, .ev-scroll") || table;
    const noun = table.dataset.noun || "rows";
    const label = document.createElement("label");
    label.className = "cat-search";
    label.innerHTML = `<span>Search in ${rows.length.toLocaleString("en")} ${noun}</span> <input type="search" autocomplete="off">`;
    const more = document.createElement("button");
    more.type = "button";
    more.className = "cat-more";
    const choosers = document.createElement("div");
    choosers.className = "ev-choosers";
    const names = table.dataset.facets ? table.dataset.facets.split("|") : [];
    choosers.append(...names.map((name, place) => chooser(name, place, rows, () => choose())));
    box.before(label, ...(names.length ? [choosers] : []), status);
    box.after(more);
    const state = { order: null, shown: step, found: rows };
    const draw = () => {
      table.tBodies[0].replaceChildren(...state.found.slice(0, state.shown).map((row) => row.make()));
      const left = state.found.length - state.shown;
      more.hidden = left <= 0;
      more.textContent = `Show ${Math.min(left, step * 5).toLocaleString("en")} more`;
      const [shown, found] = [Math.min(state.found.length, state.shown), state.found.length].map((n) => n.toLocaleString("en"));
      const all = state.found.length === rows.length;
      status.textContent = left > 0 ? `${shown} of ${found} ${noun}${all ? "" : " found"}.` : all ? `All ${shown} ${noun}.` : `${found} ${found === "1" ? noun.replace(/s$/, "") : noun} found.`;
    };
    const choose = () => {
      const wanted = words(label.lastElementChild.value);
      const picked = [...choosers.querySelectorAll("select")].map((list, place) => [place, list.value]).filter(([, value]) => value);
      state.found = rows.filter((row) => {
        row.text ??= `${row.cells.join("\n")}\n${row.words || ""}`.toLowerCase();
        return wanted.every((word) => row.text.includes(word)) && picked.every(([place, value]) => row.facets[place].includes(value));
      });
      if (state.order) state.found.sort(compare(...state.order));
      state.shown = step;
      draw();
    };
    let wait = 0;
    label.lastElementChild.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(choose, 150); });
    more.addEventListener("click", () => { state.shown += step * 5; draw(); });
    for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        state.order = [column, down];
        choose();
      });
    }
    addEventListener("hashchange", () => { // an address of a row that is not shown takes the choices back
      const wanted = rows.find((row) => row.id && `#${row.id}` === location.hash.toLowerCase());
      if (!wanted || state.found.includes(wanted)) return;
      label.lastElementChild.value = "";
      for (const list of choosers.querySelectorAll("select")) list.value = "";
      choose();
      reveal();
    });
    draw();
  };
  const statusLine = () => {
    const line = document.createElement("p");
    line.className = "cat-count";
    line.setAttribute("role", "status");
    return line;
  };
  for (const table of document.querySelectorAll("table.cat-sort, table.ev-filtered")) {
    const rows = [...table.tBodies[0].rows].map((row) => ({
      cells: [...row.cells].map((cell) => cell.textContent), words: row.dataset.words, id: row.id, make: () => row,
      facets: (row.dataset.facets || "").split("|").map((values) => values.split(";").map((value) => value.trim())),
    }));
    grid(table, rows, statusLine(), rows.length);
  }
  reveal(); // again, now that lists have their controls
  // The rows of a table of data come when they are asked for, as a script: a page read from a folder may not load a CSV.
  window.rareearthsTable = ({ name, numeric, long, links, coded, names, rows }) => {
    const details = document.querySelector(`details.cat-rows[data-table="${CSS.escape(name)}"]`);
    const table = details.querySelector("table");
    const make = (cells) => () => {
      const row = document.createElement("tr");
      for (const [column, text] of cells.entries()) {
        const cell = row.insertCell();
        cell.className = numeric.includes(column) ? "n" : long.includes(column) ? "t" : "";
        if (links.includes(column) && text) {
          const link = document.createElement("a");
          link.href = `#source-${text}`;
          link.textContent = text;
          cell.append(link);
        } else if (long.includes(column) && text.length > 90) {
          const clamped = document.createElement("div");
          clamped.className = "cat-clamp";
          clamped.textContent = text;
          cell.append(clamped);
        } else cell.textContent = text;
      }
      return row;
    };
    for (const column of numeric) table.tHead.rows[0].cells[column].classList.add("n");
    const spelled = (cells) => coded.flatMap((column) => cells[column].split(";").map((code) => names[code] || "")).join(" ");
    table.tBodies[0].addEventListener("click", ({ target }) => target.classList.contains("cat-clamp") && target.classList.toggle("open"));
    grid(table, rows.map((cells) => ({ cells, words: spelled(cells), make: make(cells) })), details.querySelector(".cat-count"), 50);
  };
  for (const details of document.querySelectorAll("details.cat-rows")) {
    details.addEventListener("toggle", () => {
      if (!details.open || details.dataset.asked) return;
      details.dataset.asked = "yes";
      const script = document.createElement("script");
      script.src = details.dataset.view;
      script.addEventListener("error", () => {
        details.querySelector(".cat-count").textContent += " The others could not be loaded: take the CSV.";
      });
      document.head.append(script);
    });
  }
})();
