// Asks a service over a few connections that stay open, each time for the next address, and counts. Sockets alone: a client that is
// busier than the server would measure itself.
// node load.mjs PORT SECONDS CONNECTIONS ADDRESSES(JSON)
import { connect } from 'node:net';

const [port, seconds, connections] = process.argv.slice(2, 5).map(Number);
const requests = JSON.parse(process.argv[5]).map((url) => `GET ${url} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
const latencies = [];
let [next, failed] = [0, 0];
const end = performance.now() + 1000 * seconds;

function ask() {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    let [sent, got, wanted] = [0, 0, 0];
    const send = () => {
      [got, wanted] = [0, 0];
      sent = performance.now();
      socket.write(requests[next++ % requests.length]);
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('data', (part) => {
      if (wanted === 0) {
        // The head comes in one piece, as it is written in one.
        const head = part.indexOf('\r\n\r\n');
        const text = part.toString('latin1', 0, head);
        if (!text.startsWith('HTTP/1.1 200')) failed++;
        wanted = head + 4 + Number(/content-length: (\d+)/i.exec(text)[1]);
      }
      got += part.length;
      if (got < wanted) return;
      latencies.push(performance.now() - sent);
      if (performance.now() < end) return send();
      socket.end();
      resolve();
    });
  });
}

const start = performance.now();
await Promise.all(Array.from({ length: connections }, ask));
const took = (performance.now() - start) / 1000;
latencies.sort((a, b) => a - b);
const at = (part) => latencies[Math.min(latencies.length - 1, Math.floor(part * latencies.length))];
console.log(
  JSON.stringify({
    answers: latencies.length,
    perSecond: latencies.length / took,
    p50: at(0.5),
    p99: at(0.99),
    failed,
  }),
);
