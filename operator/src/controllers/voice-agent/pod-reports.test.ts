import type { Clock } from '@parley/connector/base/clock';
import { silentLog } from '@parley/connector/base/log';
import type { PodStatus } from '@parley/connector/contract/pod';
import { expect, test } from 'vitest';
import type { PodClient } from './pod-client.ts';
import { PodReports } from './pod-reports.ts';

/** A pod that keeps to the contract, and a clock that is moved by hand. */
class Site {
  now = 1_000_000;
  readonly asked: string[] = [];
  status: PodStatus = {
    activeCalls: 0,
    isDraining: false,
    epoch: 0,
    revision: 'r1',
    provider: { isReady: true, reason: 'Connected', message: '' },
  };
  isSilent = false;
  readonly reports: PodReports;

  constructor() {
    const clock: Clock = {
      now: () => this.now,
      wall: () => this.now,
      after: () => ({ cancel: () => undefined }),
    };
    const client: PodClient = {
      status: () => this.#answer('status', this.status.isDraining),
      drain: () => this.#answer('drain', true),
      undrain: () => this.#answer('undrain', false),
    };
    this.reports = new PodReports({ client, clock, log: silentLog });
  }

  async refresh(isToDrain = false): Promise<void> {
    const address = { host: '127.0.0.1', port: 1, token: 't' };
    await this.reports.refresh([{ uid: 'u1', name: 'p', isToDrain, address }]);
  }

  /** Another process in the same pod. */
  restart(): void {
    this.status = { ...this.status, isDraining: false, epoch: 0 };
  }

  #answer(what: string, isDraining: boolean): Promise<PodStatus> {
    this.asked.push(what);
    if (this.isSilent) return Promise.reject(new Error('no answer'));
    if (isDraining !== this.status.isDraining)
      this.status = { ...this.status, isDraining, epoch: this.status.epoch + 1 };
    return Promise.resolve(this.status);
  }
}

test('a pod is asked once a second, however often it is wanted', async () => {
  const site = new Site();
  await site.refresh();
  await site.refresh();
  site.now += 1_000;
  await site.refresh();
  expect(site.asked).toEqual(['status', 'status']);
});

test('a pod that is to drain is told so at once, and only once', async () => {
  const site = new Site();
  await site.refresh();
  await site.refresh(true);
  expect(site.reports.get('u1')?.hasAcknowledgedDrain).toBe(true);
  site.now += 1_000;
  await site.refresh(true);
  expect(site.asked).toEqual(['status', 'status', 'drain', 'status']);
});

test('a drain that somebody else asked for is asked for again: its answer counts', async () => {
  const site = new Site();
  site.status = { ...site.status, isDraining: true, epoch: 5 };
  await site.refresh(true);
  expect(site.asked).toEqual(['status', 'drain']);
  expect(site.reports.get('u1')).toMatchObject({ hasAcknowledgedDrain: true });
});

test('a pod that forgot its drain in a restart is told again', async () => {
  const site = new Site();
  await site.refresh(true);
  site.restart();
  site.now += 1_000;
  await site.refresh(true);
  expect(site.asked).toEqual(['status', 'drain', 'status', 'drain']);
});

test('a drain is taken back', async () => {
  const site = new Site();
  await site.refresh(true);
  await site.refresh(false);
  expect(site.asked).toEqual(['status', 'drain', 'status', 'undrain']);
  expect(site.reports.get('u1')).toMatchObject({
    hasAcknowledgedDrain: false,
    status: { isDraining: false },
  });
});

test('a pod that says nothing for long has said nothing', async () => {
  const site = new Site();
  await site.refresh();
  site.isSilent = true;
  site.now += 15_000;
  await site.refresh();
  expect(site.reports.get('u1')).toBeDefined();
  expect(site.reports.faultOf('u1')).toBe('no answer');
  site.now += 15_000;
  await site.refresh();
  expect(site.reports.get('u1')).toBeUndefined();
});

test('what is forgotten is not known', async () => {
  const site = new Site();
  await site.refresh();
  site.reports.forget('u1');
  expect(site.reports.get('u1')).toBeUndefined();
});
