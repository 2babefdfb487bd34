import { expect, test } from 'vitest';
import { apiVersionOf, leases, nodes, pathOf, pods } from './kinds.ts';

test.each([
  { want: '/api/v1/pods', path: pathOf(pods) },
  { want: '/api/v1/namespaces/a/pods', path: pathOf(pods, { namespace: 'a' }) },
  {
    want: '/api/v1/namespaces/a/pods/b/status',
    path: pathOf(pods, { namespace: 'a', name: 'b', subresource: 'status' }),
  },
  // A namespace says nothing for what has none.
  { want: '/api/v1/nodes/n1', path: pathOf(nodes, { namespace: 'a', name: 'n1' }) },
  {
    want: '/apis/coordination.k8s.io/v1/namespaces/a/leases/..%2Fb',
    path: pathOf(leases, { namespace: 'a', name: '../b' }),
  },
])('$want', ({ want, path }) => {
  expect(path).toBe(want);
});

test('the core group has no name', () => {
  expect([apiVersionOf(pods), apiVersionOf(leases)]).toEqual(['v1', 'coordination.k8s.io/v1']);
});
