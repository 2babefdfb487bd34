import { expect, test } from 'vitest';
import { BoundedLabel } from './bounded-label.ts';
import { Metrics } from './metrics.ts';

function build() {
  const rtp = {
    packetsReceived: 50,
    packetsSent: 49,
    packetsLost: 1,
    strangers: 2,
    recordingsFailed: 3,
    portsFree: 119,
  };
  const metrics = new Metrics({
    activeCalls: () => 3,
    rtp: () => rtp,
    sip: () => ({
      messagesReceived: 7,
      messagesSent: 8,
      messagesMalformed: 9,
      strangers: 4,
      drops: { scanner: 5, rate: 0 },
      refusals: { unauthorized: 3 },
    }),
    eventLoop: { read: () => ({ p50: 1, p99: 20, max: 35 }), close: () => undefined },
  });
  return { metrics, rtp };
}

async function samples(metrics: Metrics): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('figures are read at each scrape and count on from there', async () => {
  const { metrics, rtp } = build();
  const first = await samples(metrics);
  expect(first).toEqual(
    expect.arrayContaining([
      'parley_calls_active 3',
      'parley_rtp_packets_received_total 50',
      'parley_rtp_packets_sent_total 49',
      'parley_rtp_packets_lost_total 1',
      'parley_rtp_stranger_packets_total 2',
      'parley_rtp_ports_free 119',
      'parley_sip_messages_received_total 7',
      'parley_sip_messages_sent_total 8',
      'parley_sip_messages_malformed_total 9',
      'parley_sip_strangers_total 4',
      'parley_sip_dropped_total{reason="scanner"} 5',
      'parley_sip_dropped_total{reason="rate"} 0',
      'parley_sip_refused_total{reason="unauthorized"} 3',
      'parley_event_loop_lag_seconds{quantile="0.5"} 0.001',
      'parley_event_loop_lag_seconds{quantile="0.99"} 0.02',
      'parley_event_loop_lag_seconds{quantile="1"} 0.035',
    ]),
  );
  rtp.packetsReceived = 60;
  expect(await samples(metrics)).toContain('parley_rtp_packets_received_total 60');
});

test('what happened is counted under its labels, times in seconds', async () => {
  const { metrics } = build();
  metrics.callEnded({ result: 'completed', reason: 'caller-hung-up' });
  metrics.callSetUp(120);
  metrics.firstAudio(640);
  metrics.bargeInStopped(12);
  metrics.providerOpened('openai', 'ok');
  metrics.providerFault('openai', 'rate_limit_exceeded');
  metrics.toolCalled('timeout');
  expect(await samples(metrics)).toEqual(
    expect.arrayContaining([
      'parley_calls_total{result="completed",reason="caller-hung-up"} 1',
      'parley_call_setup_seconds_sum 0.12',
      'parley_first_audio_seconds_sum 0.64',
      'parley_barge_in_stop_seconds_bucket{le="0.01"} 0',
      'parley_barge_in_stop_seconds_bucket{le="0.02"} 1',
      'parley_provider_opens_total{provider="openai",outcome="ok"} 1',
      'parley_provider_faults_total{provider="openai",code="rate_limit_exceeded"} 1',
      'parley_tool_calls_total{outcome="timeout"} 1',
    ]),
  );
});

test('two sets of metrics do not meet in a registry', async () => {
  const [one, two] = [build().metrics, build().metrics];
  one.toolCalled('ok');
  expect(await samples(two)).not.toContain('parley_tool_calls_total{outcome="ok"} 1');
});

test('a label that a server chooses stays within bounds', () => {
  const label = new BoundedLabel(2);
  const values = ['server_error', 'a b', '+441632960961', '', 'x'.repeat(65), 'b', 'c', 'b'];
  expect(values.map((value) => label.of(value))).toEqual([
    'server_error',
    'other',
    'other',
    'other',
    'other',
    'b',
    'other',
    'b',
  ]);
});

test('how calls sounded is told by direction, as ratios and seconds', async () => {
  const { metrics } = build();
  metrics.callQuality('received', { mos: 4.2, lossPercent: 2, jitterMs: 5 });
  metrics.callQuality('sent', { mos: 3, lossPercent: 0, jitterMs: 30 });
  expect(await samples(metrics)).toEqual(
    expect.arrayContaining([
      'parley_call_mos_sum{direction="received"} 4.2',
      'parley_call_mos_bucket{le="3.1",direction="sent"} 1',
      'parley_call_loss_ratio_sum{direction="received"} 0.02',
      'parley_call_loss_ratio_bucket{le="0",direction="sent"} 1',
      'parley_call_jitter_seconds_sum{direction="sent"} 0.03',
    ]),
  );
});
