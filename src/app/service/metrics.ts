// What the service counts, for Prometheus. The only file that knows the library.
import type { RunnerEvent } from '../../jobs/change/request-runner.js';
import type { App } from './app.js';
import { TEXT } from './schemas.js';
import type { Service } from './service.js';

export interface Metrics {
  answered(request: { method: string; route: string; status: number; seconds: number }): void;
  took(event: RunnerEvent): void;
  /** What is asked when somebody looks. */
  watch(now: () => Promise<{ pending: number; running: number; streams: number }>): void;
  text(): Promise<string>;
  contentType: string;
}

const ANSWER_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
const CHIP_SECONDS = [0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

export async function createMetrics(): Promise<Metrics> {
  const { Registry, Counter, Gauge, Histogram, collectDefaultMetrics } = await import('prom-client');
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  const requests = new Counter({
    name: 'stackwise_http_requests_total',
    help: 'Requests answered',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'stackwise_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer',
    labelNames: ['route'],
    buckets: ANSWER_SECONDS,
    registers,
  });
  const chips = new Counter({
    name: 'stackwise_chips_total',
    help: 'Chips that were run, by how they ended',
    labelNames: ['outcome'],
    registers,
  });
  const pixels = new Counter({
    name: 'stackwise_pixels_total',
    help: 'Pixels that were run, by what was found',
    labelNames: ['outcome'],
    registers,
  });
  const chipSeconds = new Histogram({
    name: 'stackwise_chip_duration_seconds',
    help: 'Time from the begin of a chip to its end in the store',
    buckets: CHIP_SECONDS,
    registers,
  });
  const gauge = (name: string, help: string) => new Gauge({ name: `stackwise_${name}`, help, registers });
  const gauges = {
    pending: gauge('chips_pending', 'Chips that are asked for and not written yet'),
    running: gauge('chips_running', 'Chips under way'),
    streams: gauge('event_streams', 'Open streams of events'),
  };
  let now = async () => ({ pending: 0, running: 0, streams: 0 });
  return {
    answered({ method, route, status, seconds: took }) {
      requests.inc({ method, route, status });
      seconds.observe({ route }, took);
    },
    took(event) {
      if (event.type === 'failed') chips.inc({ outcome: 'failed' });
      if (event.type !== 'written') return;
      chips.inc({ outcome: 'written' });
      chipSeconds.observe(event.ms / 1000);
      for (const [outcome, count] of Object.entries(event.pixels)) pixels.inc({ outcome }, count);
    },
    watch(look) {
      now = look;
    },
    async text() {
      for (const [name, value] of Object.entries(await now())) gauges[name as keyof typeof gauges].set(value);
      return register.metrics();
    },
    contentType: register.contentType,
  };
}

export function metricRoutes(app: App, { metrics }: Service): void {
  const schema = { summary: 'Numbers for Prometheus', produces: ['text/plain'], response: { 200: TEXT } };
  app.get('/metrics', { schema }, async (_, reply) => {
    const text = await metrics.text();
    return reply.type(metrics.contentType).serializer(String).send(text);
  });
}
