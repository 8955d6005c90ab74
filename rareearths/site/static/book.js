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
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
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
    const note = document.getElementById(link.hash.slice(1));
    if (!note) return;
    close();
    pop = document.createElement("div");
    pop.className = "ev-pop";
    pop.setAttribute("role", "tooltip");
    pop.innerHTML = note.innerHTML;
    document.body.append(pop);
    const box = link.getBoundingClientRect();
    const left = Math.max(16, Math.min(box.left + scrollX, document.documentElement.clientWidth - pop.offsetWidth - 16));
    const below = box.bottom + 6 + pop.offsetHeight < innerHeight || box.top < pop.offsetHeight + 6;
    pop.style.left = `${left}px`;
    pop.style.top = `${scrollY + (below ? box.bottom + 6 : box.top - pop.offsetHeight - 6)}px`;
    pop.addEventListener("mouseleave", close);
  };
  for (const link of document.querySelectorAll("a.ev-num, a.ev-st")) {
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
})();
