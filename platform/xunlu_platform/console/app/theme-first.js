// Runs before the first paint, so that the light theme never flashes dark.
(() => {
  const saved = localStorage.getItem("xunlu.theme");
  if (saved === "light" || saved === "dark") document.documentElement.dataset["theme"] = saved;
})();
