// The question for name and password.
import { post } from './api.js';
import { h } from './dom.js';

export function login(main, done) {
  const error = h('p', { class: 'error', role: 'alert' });
  const name = h('input', { name: 'username', autocomplete: 'username', required: true, autocapitalize: 'none', spellcheck: 'false' });
  const password = h('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true });
  const button = h('button', { class: 'primary', type: 'submit' }, 'Log in');
  const submit = async (e) => {
    e.preventDefault();
    button.disabled = true;
    error.textContent = '';
    try {
      await post('login', { username: name.value, password: password.value });
      done();
    } catch (err) {
      error.textContent = err.message;
      password.value = '';
      password.focus();
    }
    button.disabled = false;
  };
  main.replaceChildren(h('form', { class: 'card login', onsubmit: submit },
    h('img', { src: 'icon.svg', alt: '', width: '48', height: '48' }),
    h('h1', {}, 'Reverb'),
    h('label', {}, 'Name', name),
    h('label', {}, 'Password', password),
    error, button));
  name.focus();
}
