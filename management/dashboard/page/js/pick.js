// The choice of the application.
import { h } from './dom.js';
import { apps } from './state.js';

/** all: the text of a first choice that means every application. */
export function pickApp(change, { all, value = apps.current } = {}) {
  const select = h('select', { 'aria-label': 'Application', onchange: () => {
    if (select.value) apps.current = select.value;
    change(select.value);
  } }, all && h('option', { value: '' }, all), apps.ids.map((id) => h('option', { value: id }, id)));
  select.value = value;
  select.hidden = apps.ids.length < 2;
  return select;
}
