// The server writes times in UTC; here they are said in the reader's zone, and counted by the server's clock.

let offset = 0;

export function setClock(now) {
  offset = now - Date.now();
}

const clock = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' });

const say = {
  clock: at => clock.format(at),
  ago: (at, now) => ago(now - at),
  since: (at, now) => length(now - at),
  until: (at, now) => (at > now ? `${length(at - now)} left` : 'its time is over'),
};

export function tellTimes(root) {
  const now = Date.now() + offset;
  for (const time of root.querySelectorAll('time[data-time]')) {
    const at = Date.parse(time.dateTime);
    const text = say[time.dataset.time](at, now);
    if (time.textContent !== text) time.textContent = text;
    if (!time.dataset.zoned) {
      time.title = clock.format(at);
      time.dataset.zoned = 'yes';
    }
  }
}

function ago(ms) {
  if (ms < 10_000) return 'just now';
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s ago`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  if (ms < 172_800_000) return `${Math.floor(ms / 3_600_000)} h ago`;
  return `${Math.floor(ms / 86_400_000)} days ago`;
}

function length(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
}
