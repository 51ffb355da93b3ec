// Sends an event as the HTTP API would.
import { enc, post } from './api.js';
import { h, setText, toast } from './dom.js';
import { count } from './format.js';
import { pickApp } from './pick.js';
import { apps } from './state.js';

export function send(main, _, params) {
  let app = apps.ids.includes(params.get('app')) ? params.get('app') : apps.current;
  const pick = pickApp((id) => { app = id; }, { value: app });
  const channels = h('input', { required: true, value: params.get('channel') ?? '', placeholder: 'orders, private-user.1', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' });
  const event = h('input', { required: true, placeholder: 'App\\Events\\OrderShipped', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false' });
  const data = h('textarea', { rows: '8', spellcheck: 'false', oninput: judge });
  data.value = '{\n  "message": "Hello"\n}';
  const judged = h('p', { class: 'muted', role: 'status' });
  const result = h('p', { class: 'result', role: 'status' });
  const button = h('button', { class: 'primary', type: 'submit' }, 'Send');

  function judge() {
    try {
      JSON.parse(data.value);
      setText(judged, 'Valid JSON');
      judged.className = 'muted';
    } catch {
      setText(judged, 'Not JSON; it is sent as plain text');
      judged.className = 'warning';
    }
  }

  async function submit(e) {
    e.preventDefault();
    button.disabled = true;
    const names = channels.value.split(/[\s,]+/).filter(Boolean);
    try {
      const answer = await post(`apps/${enc(app)}/events`, { channels: names, event: event.value.trim(), data: data.value });
      setText(result, answer.subscriptions ? `Sent to ${count(answer.subscriptions, 'subscription')}.` : 'Sent, but nobody is subscribed.');
      result.className = answer.subscriptions ? 'result good' : 'result warning';
    } catch (err) {
      setText(result, err.message);
      result.className = 'result error';
      toast(err.message, 'bad');
    }
    button.disabled = false;
  }

  const form = h('form', { class: 'card form', onsubmit: submit, onkeydown: (e) => {
    if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) form.requestSubmit();
  } },
  !pick.hidden && h('label', {}, 'Application', pick),
  h('label', {}, 'Channels', channels, h('small', {}, 'One or several, with commas between them')),
  h('label', {}, 'Event', event, h('small', {}, 'Laravel Echo listens for the class name, or for .name with broadcastAs')),
  h('label', {}, 'Data', data), judged,
  h('div', { class: 'buttons' }, button, h('small', { class: 'muted wide' }, 'Ctrl + Enter'), result));
  main.append(h('div', { class: 'bar' }, h('h1', {}, 'Send an event')), form);
  judge();
}
