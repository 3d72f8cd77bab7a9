import test from 'ava'
import { parseUnits } from '../../../../src/admin/doctor/scene.js'
import { shellWord } from '../../../../src/admin/doctor/words.js'

test('systemctl show has a paragraph for each unit, and a line for each of several values', (t) => {
  t.deepEqual(parseUnits('Id=a\nExecStart={ path=/x ; argv[]=/x y=z }\nListen=/a (Stream)\nListen=/b (Stream)\n\nId=b\nEmpty=\n'), [
    { Id: 'a', ExecStart: '{ path=/x ; argv[]=/x y=z }', Listen: '/a (Stream)\n/b (Stream)' },
    { Id: 'b', Empty: '' }
  ])
  t.deepEqual(parseUnits(''), [])
})

test('a word with anything but plain characters is quoted for the shell', (t) => {
  t.is(shellWord('/etc/fastAPI/fastAPI.env'), '/etc/fastAPI/fastAPI.env')
  t.is(shellWord('/a b'), "'/a b'")
  t.is(shellWord("$(rm -r x)'"), "'$(rm -r x)'\\'''")
})
