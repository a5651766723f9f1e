import { expect, test } from 'vitest';
import { Metrics, readProcess } from './metrics.ts';

test('counters, histograms and read values appear in the text format', async () => {
  const metrics = new Metrics();
  const requests = metrics.counter('plumb_requests_total', 'Requests.', ['verb']);
  requests.inc({ verb: 'get' });
  requests.inc({ verb: 'get' }, 2);
  const seconds = metrics.histogram('plumb_request_seconds', 'Time.', [0.1, 1]);
  seconds.observe(0.5);
  let depth = 3;
  metrics.readGauge('plumb_queue_depth', 'Keys.', { queue: 'a' }, () => depth);
  metrics.readGauge('plumb_queue_depth', 'Keys.', { queue: 'b' }, () => 7);
  let total = 10;
  metrics.readCounter('plumb_commits_total', 'Commits.', {}, () => total);

  const first = (await metrics.text()).split('\n');
  expect(first).toEqual(
    expect.arrayContaining([
      '# TYPE plumb_requests_total counter',
      'plumb_requests_total{verb="get"} 3',
      'plumb_request_seconds_bucket{le="0.1"} 0',
      'plumb_request_seconds_bucket{le="1"} 1',
      'plumb_request_seconds_sum 0.5',
      'plumb_queue_depth{queue="a"} 3',
      'plumb_queue_depth{queue="b"} 7',
      'plumb_commits_total 10',
    ]),
  );

  depth = 0;
  total = 12;
  const second = (await metrics.text()).split('\n');
  expect(second).toEqual(expect.arrayContaining(['plumb_queue_depth{queue="a"} 0', 'plumb_commits_total 12']));
  expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
});

test('registries are separate, and the process is measured when asked', async () => {
  const metrics = new Metrics();
  readProcess(metrics);
  const text = await metrics.text();
  expect(Number(/^process_resident_memory_bytes (\d+)/m.exec(text)?.[1])).toBeGreaterThan(1e6);
  expect(Number(/^process_cpu_seconds_total ([\d.]+)/m.exec(text)?.[1])).toBeGreaterThan(0);
  expect(await new Metrics().text()).not.toContain('process_');
});
