import { doctor, nameAndMend, pasteMends } from './doctor.js'
import { bootHost, type Host } from './host.js'
import { pacmanU, pushPackage } from './pacman.js'
import { test } from './test.js'

let host: Host

const site = '/etc/nginx/fastAPI/fastAPI.conf'

test.before(async (t) => {
  t.timeout(600_000)
  host = await bootHost()
  await pacmanU(host, await pushPackage(host))
})

test.after.always(async () => {
  await host?.stop()
})

test('from no nginx at all to one that serves, by pasting what doctor --nginx prints, step by step', async (t) => {
  t.timeout(180_000)
  // A repository that has nginx, and a host that has not.
  await host.sh(`mkdir -p /root/tree/usr/bin /root/repo && cd /
    cp -a --parents etc/nginx/nginx.conf etc/nginx/mime.types usr/lib/systemd/system/nginx.service /root/tree
    cp /usr/sbin/nginx /root/tree/usr/bin/nginx && version=$(pacman -Q nginx | cut -d ' ' -f 2)
    pacman -Rn --noconfirm nginx && rm /usr/sbin/nginx
    provide-package nginx $version /root/repo --root /root/tree --backup etc/nginx/nginx.conf -- etc usr >/dev/null
    cd /root/repo && repo-add --quiet stock.db.tar.gz nginx-*.pkg.tar.zst >/dev/null
    printf '[stock]\\nSigLevel = Optional TrustAll\\nServer = file:///root/repo\\n' >>/etc/pacman.conf && pacman -Sy --quiet`)

  const without = await doctor(host)
  t.is(without.status, 0, 'nginx is optional')
  t.regex(without.text, /^skipped +nginx +nginx is not installed; to have it in front: pacman -S nginx$/m)

  const steps = [
    [/^fail nginx: nginx is not installed$/, /^pacman -S nginx$/],
    [/^fail nginx: no server in its configuration passes requests to \/run\/fastAPI\/fastAPI\.sock$/, /^fastapi-health nginx enable$/],
    [/^fail nginx: it does not run \(inactive\), though its configuration includes the service$/, /^systemctl enable --now nginx\.service$/]
  ] as const
  for (const [fault, command] of steps) {
    const found = await doctor(host, { args: '--nginx' })
    t.is(found.status, 1)
    t.is(found.wrong.length, 1, found.text)
    t.regex(found.wrong[0] ?? '', fault)
    t.regex(found.mends[0] ?? '', command)
    await pasteMends(host, found)
  }
  const mended = await doctor(host, { args: '--nginx' })
  t.is(mended.status, 0, mended.text)
  t.regex(mended.text, /^ok +nginx +http:\/\/fastapi\.localhost\/health answers with status 200$/m)
})

const faults: { name: string; fault: string; expected: RegExp; clean?: string }[] = [
  {
    name: 'nginx that does not run',
    fault: 'systemctl stop nginx.service',
    expected: /^fail nginx: it does not run \(inactive\)/
  },
  {
    name: 'nginx that will not run after the next boot',
    fault: 'systemctl disable nginx.service',
    expected: /^warn nginx: it runs, but is disabled: not there after the next boot/
  },
  {
    name: 'nginx that has not read the line that includes the site',
    fault: `fastapi-health nginx disable && sed -i '$s|}|    include /etc/nginx/fastAPI/*.conf;\\n}|' /etc/nginx/nginx.conf`,
    expected: /^fail nginx: .* answers with status 404: it has not read its configuration since that was changed/
  },
  {
    name: 'the site behind another server of the same name',
    fault: `echo 'server { listen 80; server_name fastapi.localhost; return 404; }' >/etc/nginx/other.conf
      sed -i 's|^http {|http {\\n    include other.conf;|' /etc/nginx/nginx.conf && systemctl reload nginx.service`,
    expected: /^fail nginx: the server at \/etc\/nginx\/other\.conf:1 answers before \/etc\/nginx\/fastAPI\/fastAPI\.conf:\d+ does, for server_name "fastapi\.localhost"/,
    clean: "sed -i '/include other.conf;/d' /etc/nginx/nginx.conf && fastapi-health nginx enable --server-name fastapi.localhost"
  },
  {
    name: 'the site for any name behind another default server',
    fault: `sed -i 's/^\\( *server_name\\) .*;/\\1 _;/' ${site} && systemctl reload nginx.service`,
    expected: /^fail nginx: the server at \/etc\/nginx\/nginx\.conf:\d+ answers before .* for server_name "_" on port 80/
  },
  {
    name: 'nginx whose user may not connect to the socket',
    fault: `systemctl edit --stdin --drop-in=group fastAPI-unix.socket <<<$'[Socket]\\nSocketGroup=fastapi' && systemctl restart fastAPI-unix.socket`,
    expected: /^fail nginx: .* answers with status 502: its user http is not in group fastapi/,
    clean: 'systemctl revert fastAPI-unix.socket && systemctl restart fastAPI-unix.socket'
  },
  {
    name: 'port 80 taken by another service',
    fault: `systemctl stop nginx.service
      printf '%s\\n' '[Service]' 'Type=exec' "ExecStart=/usr/bin/node -e 'http.createServer().listen(80)'" '[Install]' 'WantedBy=multi-user.target' \\
        >/etc/systemd/system/squatter.service
      systemctl daemon-reload && systemctl enable --now squatter.service
      timeout 10 bash -c 'until curl --silent --max-time 1 http://127.0.0.1/ || (( $? == 28 )); do sleep 0.1; done'
      ! systemctl start nginx.service`,
    expected: /^fail nginx: it does not run: port 80 is taken by \S+ \(pid \d+, squatter\.service\)/
  }
]

for (const { name, fault, expected, clean } of faults) {
  test(`${name}: named, and mended by the command that is printed`, async (t) => {
    t.timeout(120_000)
    await host.sh(fault)
    await nameAndMend(t, host, [expected])
    if (clean !== undefined) await host.sh(clean)
  })
}

test('a broken configuration is told with file and line, for a person to mend', async (t) => {
  await host.write('/etc/nginx/fastAPI/mine.conf', 'servr {}\n')
  const { status, wrong, mends } = await doctor(host)
  t.is(status, 1)
  t.regex(wrong.join('\n'), /^fail nginx: its configuration is broken: .*unknown directive "servr" in \/etc\/nginx\/fastAPI\/mine\.conf:1; test it by: nginx -t$/)
  t.deepEqual(mends, [])
  await host.sh('rm /etc/nginx/fastAPI/mine.conf')
  t.is((await doctor(host)).status, 0)
})
