import test from 'ava'
import { printable } from '../../../src/admin/printable.js'

test('control characters become blanks, everything else stays', (t) => {
  t.is(printable('a\nb\x1b[31mc\u009bd\u2028e'), 'a b [31mc d e')
  t.is(printable('größer als 1 – "so"'), 'größer als 1 – "so"')
})
