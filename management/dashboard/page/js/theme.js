// Runs before the page is drawn, so that it does not flash in the wrong colours.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem('reverb.theme'); } catch { /* storage may be forbidden */ }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
