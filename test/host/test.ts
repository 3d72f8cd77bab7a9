import ava from 'ava'
import { hostUnavailable } from './available.js'

export { hostUnavailable }

/** ava's `test.serial`, as the tests of a file share its host; its `skip` where no host can be booted. */
export const test = hostUnavailable() === undefined ? ava.serial : withoutHost()

function withoutHost(): typeof ava.serial {
  const { skip } = ava.serial
  const hook = Object.assign(() => {}, { always: () => {}, skip: () => {} })
  // Hooks would boot the host that cannot be booted.
  return Object.assign((...parameters: Parameters<typeof skip>) => skip(...parameters), ava.serial, {
    before: hook,
    beforeEach: hook,
    after: hook,
    afterEach: hook
  }) as unknown as typeof ava.serial
}
