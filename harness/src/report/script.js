/* Points out one row in all figures of its group, and offers the data as files. The page reads well without it. */
for (const group of document.querySelectorAll(".group")) {
  const parts = [...group.querySelectorAll("[data-row]")];
  let pinned = null;
  const show = (row) => {
    group.classList.toggle("pointed", row !== null);
    for (const part of parts) part.classList.toggle("on", part.dataset.row === row);
  };
  for (const part of parts) {
    const row = part.dataset.row;
    part.addEventListener("mouseenter", () => show(row));
    part.addEventListener("mouseleave", () => show(pinned));
    if (part.tagName !== "LI") continue;
    const pin = () => {
      pinned = pinned === row ? null : row;
      for (const other of parts) if (other.tagName === "LI") other.setAttribute("aria-pressed", other.dataset.row === pinned);
      show(pinned);
    };
    part.tabIndex = 0;
    part.setAttribute("role", "button");
    part.setAttribute("aria-pressed", "false");
    part.parentElement.setAttribute("role", "group");
    part.addEventListener("focus", () => show(row));
    part.addEventListener("blur", () => show(pinned));
    part.addEventListener("click", pin);
    part.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      pin();
    });
  }
}
for (const data of document.querySelectorAll("pre[data-file]")) {
  const button = document.createElement("button");
  button.textContent = "Save as a file";
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.download = data.dataset.file;
    link.href = URL.createObjectURL(new Blob([data.textContent], { type: "text/csv" }));
    link.click();
    URL.revokeObjectURL(link.href);
  });
  data.before(button);
}
