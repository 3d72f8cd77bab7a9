import test from 'ava'
import { parseEnvironment, parseEnvironmentFile } from '../../../../src/admin/doctor/environment.js'

test('a file is read as systemd reads it: comments, quotes, escapes, joined lines, and the last of two counts', (t) => {
  const text = `
# comment
; comment
A=1
 B = two words \nC="quo\\"ted # not a comment"
D='single \\n'
E=a\\ b
F=joined \\\nlines
G=
H="half"' and half'
A=2
not a variable
9=no
`
  t.deepEqual(parseEnvironmentFile(text), {
    A: '2',
    B: 'two words',
    C: 'quo"ted # not a comment',
    D: 'single \\n',
    E: 'a b',
    F: 'joined lines',
    G: '',
    H: 'half and half'
  })
})

test('what systemctl show prints of Environment= is read back', (t) => {
  t.deepEqual(parseEnvironment('NODE_COMPILE_CACHE=/var/cache/x "A=two words" B=3 C="x y"'), {
    NODE_COMPILE_CACHE: '/var/cache/x',
    A: 'two words',
    B: '3',
    C: 'x y'
  })
  t.deepEqual(parseEnvironment(''), {})
})
