
"use strict";
(() => {
  const form = document.querySelector(".filter");
  const items = [...document.querySelectorAll(".item")];
  const groups = [...document.querySelectorAll(".group")];
  const sections = [...document.querySelectorAll("#findings, #checks, #exchanges")];
  const words = new Map();

  const text = (item) => {
    if (!words.has(item)) words.set(item, item.textContent.toLowerCase());
    return words.get(item);
  };

  const apply = () => {
    const chosen = new Set([...form.elements.verdict ? form.querySelectorAll("input:checked") : []].map((box) => box.value));
    const wanted = form.elements.text.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const active = chosen.size > 0 || wanted.length > 0;
    let shown = 0;
    for (const item of items) {
      const fits = (chosen.size === 0 || chosen.has(item.dataset.verdict)) && wanted.every((word) => text(item).includes(word));
      item.hidden = !fits;
      if (fits) shown += 1;
    }
    for (const group of groups) {
      group.hidden = active && !group.querySelector(".item:not([hidden])");
      if (active) group.open = true;
    }
    for (const section of sections) section.hidden = active && !section.querySelector(".item:not([hidden])");
    for (const other of document.querySelectorAll("#clients, #capabilities, #latency")) other.hidden = active;
    document.querySelector(".none").hidden = shown > 0 || !active;
    form.querySelector("output").textContent = active ? `${shown} of ${items.length} shown` : "";
  };

  const copy = async (button) => {
    const source = button.parentElement.querySelector("pre");
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };

  // A link to an exchange opens it, whatever is filtered away.
  const follow = () => {
    const target = /^#x\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.hidden) {
      form.reset();
      apply();
    }
    target.open = true;
    target.scrollIntoView();
  };

  if (items.length) {
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
  }
  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => { for (const group of groups) group.open = true; });
  follow();
})();
