import test from 'ava'
import { stderrIsJournal, withPriority } from '../../src/journal.js'
import { fstatSync } from 'node:fs'

test('standard error is the journal only if JOURNAL_STREAM names its device and inode', (t) => {
  const { dev, ino } = fstatSync(2)
  t.true(stderrIsJournal({ JOURNAL_STREAM: `${dev}:${ino}` }))
  t.false(stderrIsJournal({ JOURNAL_STREAM: `${dev}:${ino + 1}` }))
  t.false(stderrIsJournal({ JOURNAL_STREAM: 'rubbish' }))
  t.false(stderrIsJournal({}))
})

test('each line gets its own priority', (t) => {
  t.is(withPriority(3, 'one\ntwo\n'), '<3>one\n<3>two\n')
})
