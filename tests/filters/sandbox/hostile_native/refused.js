// Tries what a program under judgement has no business with; prints "refused" or "ALLOWED" a line.
const fs = require('fs');
const child = require('child_process');
const net = require('net');
const dgram = require('dgram');

const lines = [];
function attempt(what, action) {
  try {
    const result = action();
    const failed = result && result.error;
    lines.push(failed ? `refused ${what} ${failed.code}` : `ALLOWED ${what}`);
  } catch (error) {
    lines.push(`refused ${what} ${error.code}`);
  }
}

for (const path of ['/etc/passwd', '/etc/shadow', '/proc/self/environ', '/proc/1/environ',
                    '/usr/bin/sh', '/dev/tty', '/etc/hostname'])
  attempt(`read ${path}`, () => fs.readFileSync(path));
for (const path of ['/home', '/proc', '/sys', '/var']) attempt(`list ${path}`, () => fs.readdirSync(path));
for (const path of ['/new', '/usr/lib/new', '/dev/new', '/etc/new'])
  attempt(`write ${path}`, () => fs.writeFileSync(path, 'x'));
attempt('remove /usr', () => fs.rmSync('/usr/lib/locale', {recursive: true}));
attempt('execSync', () => child.execSync('id'));
attempt('spawnSync', () => child.spawnSync('/usr/bin/node', ['-v']));
attempt('kill 1', () => process.kill(1, 'SIGKILL'));
attempt('kill parent', () => process.kill(process.ppid, 'SIGKILL'));
attempt('setuid', () => process.setuid(0));
for (const name of Object.keys(process.env)) if (name !== 'LC_ALL') lines.push(`ALLOWED ${name}`);

let open = 4;
function later(what) {
  return error => {
    lines.push(error ? `refused ${what} ${error.code}` : `ALLOWED ${what}`);
    if (--open === 0) fs.writeSync(1, lines.join('\n') + '\n');
  };
}
function once(what) {
  const tell = later(what);
  let told = false;
  return error => { if (!told) { told = true; tell(error); } };
}

const connected = once('connect');
net.connect(80, '127.0.0.1').on('error', connected).on('connect', () => connected());
const listening = once('listen');
net.createServer().on('error', listening).listen(8080, () => listening());
const path = once('unix socket');
net.createServer().on('error', path).listen('/tmp/socket', () => path());
const spawned = once('spawn');
try {
  child.spawn('/usr/bin/node', ['-v']).on('error', spawned).on('exit', () => spawned());
} catch (error) {
  spawned(error);
}
