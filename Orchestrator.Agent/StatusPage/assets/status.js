// The page is rendered by the server. This keeps it so: it takes changed elements in, counts times, and sends what the buttons say.
import { morph } from './morph.js';
import { addPoints, drawPlots } from './plots.js';
import { tellTimes, setClock } from './times.js';

const bundle = document.documentElement.dataset.bundle;
const link = document.getElementById('link');
const notice = document.getElementById('notice');

// --- changes, as they happen

let retry = 1000;

function listen() {
  const source = new EventSource('/live');
  source.addEventListener('hello', event => {
    const hello = JSON.parse(event.data);
    if (hello.bundle !== bundle) return location.reload();
    setClock(hello.now);
    retry = 1000;
    showLink('live', 'good');
  });
  source.addEventListener('patch', event => {
    const patch = JSON.parse(event.data);
    setClock(patch.now);
    for (const [id, markup] of Object.entries(patch.pieces)) take(id, markup);
    drawPlots();
  });
  source.addEventListener('pulse', event => addPoints(JSON.parse(event.data).stacks));
  source.addEventListener('error', () => {
    showLink('reconnecting', 'warning');
    // Closed means that the answer was no stream: the session may be over. Otherwise the browser tries again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(askAgain, retry);
  });
}

async function askAgain() {
  retry = Math.min(retry * 2, 30000);
  try {
    const answer = await fetch('/', { redirect: 'manual', headers: { Accept: 'text/html' } });
    if (answer.type === 'opaqueredirect') return location.assign('/login');
  } catch {
    // The daemon does not answer; it is asked again in a moment, as is said at the top of the page.
  }
  listen();
}

function showLink(word, tone) {
  if (link.textContent === word) return;
  link.textContent = word;
  link.className = `pill tone-${tone}`;
}

function take(id, markup) {
  const old = document.getElementById(id);
  if (!old) return;
  const template = document.createElement('template');
  template.innerHTML = markup;
  tellTimes(template.content);
  morph(old, template.content.firstElementChild);
}

// --- what the buttons do

document.addEventListener('click', event => {
  const button = event.target.closest('button');
  if (button?.dataset.opens) open(document.getElementById(button.dataset.opens));
  else if (button?.dataset.close !== undefined) button.closest('dialog').close();
  else if (button?.dataset.act === 'maintenance-off') act(button, () => maintain(button.dataset.on, false));
});

document.addEventListener('submit', event => {
  const form = event.target.closest('form[data-act]');
  if (!form) return;
  event.preventDefault();
  const on = form.dataset.on;
  const acts = {
    rollback: () => rollBack(on, Number(new FormData(form).get('to')), form.dataset.key),
    maintenance: () => maintain(on, true),
    cancel: () => cancel(on),
  };
  act(form.querySelector('[type=submit]'), acts[form.dataset.act], form);
});

function open(dialog) {
  const form = dialog.querySelector('form');
  // One key for each time it is opened: pressed twice, it is one deployment.
  form.dataset.key = Array.from(crypto.getRandomValues(new Uint32Array(4)), part => part.toString(16)).join('-');
  complain(form, '');
  dialog.showModal();
}

async function act(button, what, form) {
  button.setAttribute('aria-busy', 'true');
  button.disabled = true;
  try {
    say(await what(), false);
    form?.closest('dialog').close();
  } catch (problem) {
    if (form) complain(form, problem.message);
    else say(problem.message, true);
  } finally {
    button.disabled = false;
    button.removeAttribute('aria-busy');
  }
}

async function rollBack(stack, to, key) {
  const deployment = await send('POST', `/api/v1/stacks/${encodeURIComponent(stack)}/rollback`, { to }, { 'Idempotency-Key': key });
  return `Rolling ${stack} back to release ${to}: deployment #${deployment.id}.`;
}

async function maintain(stack, on) {
  await send('PUT', `/api/v1/stacks/${encodeURIComponent(stack)}/maintenance`, { on });
  return on ? `${stack} is in maintenance: requests are answered with 503.` : `${stack} serves again.`;
}

async function cancel(deployment) {
  await send('POST', `/api/v1/deployments/${encodeURIComponent(deployment)}/cancel`);
  return `Deployment #${deployment} is being cancelled.`;
}

async function send(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(path, { method, headers: { 'Content-Type': 'application/json', Accept: 'application/json', ...headers }, body: body && JSON.stringify(body) });
  } catch {
    throw new Error('The daemon does not answer. Whether it has heard this is not known: look at the deployments before you try again.');
  }
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error([json.title ?? `The daemon answered with ${answer.status}.`, json.detail, json.hint].filter(Boolean).join(' '));
  return json;
}

function complain(form, text) {
  const alert = form.querySelector('[role=alert]');
  alert.textContent = text;
  alert.hidden = !text;
}

let silence;

// It lies over the page instead of pushing it down, and what went well goes away by itself: the page shows it too.
function say(text, bad) {
  clearTimeout(silence);
  if (!bad) silence = setTimeout(() => { notice.hidden = true; }, 10_000);
  notice.textContent = text;
  notice.hidden = false;
  notice.classList.toggle('alert', bad);
}

tellTimes(document);
drawPlots();
setInterval(() => document.hidden || tellTimes(document), 1000);
document.addEventListener('visibilitychange', () => document.hidden || tellTimes(document));
listen();
