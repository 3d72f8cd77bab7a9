#!/usr/bin/perl
# Tries what a taken-over service might try, by system calls of its own and not by programs that could be missing.
# Prints one line for each attempt: what, a tab, "done" or the error. Nothing that it may succeed in does harm.
use strict;
use warnings;
use POSIX ();
use Socket;

# x86_64, asm/unistd_64.h
my %number = (
  mmap => 9, mprotect => 10, ptrace => 101, personality => 135, mount => 165, umount2 => 166, swapon => 167, reboot => 169,
  sethostname => 170, iopl => 172, init_module => 175, settimeofday => 164, chroot => 161, setrlimit => 160,
  clock_settime => 227, mbind => 237, keyctl => 250, add_key => 248, unshare => 272, perf_event_open => 298, finit_module => 313,
  bpf => 321, kexec_load => 246, process_vm_readv => 310, open_by_handle_at => 304, setns => 308, userfaultfd => 323,
  io_uring_setup => 425, pidfd_getfd => 438, memfd_create => 319, acct => 163, sched_setscheduler => 144, fsopen => 430,
  quotactl => 179, syslog => 103, setuid => 105, clone => 56, mknod => 133, setsid => 112, fcntl => 72, shmget => 29
);
my $writable = $ENV{PROBE_WRITABLE} || '/tmp';

sub report { print "$_[0]\t", ($_[1] ? 'done' : "$!"), "\n" }

# A failed call is -1; its arguments are numbers or buffers.
sub call {
  my ($what, $name, @arguments) = @_;
  $! = 0;
  report($what, syscall($number{$name}, @arguments) != -1);
}

# In a child, for what would change this process or end it.
sub apart {
  my ($what, $try) = @_;
  my $child = open(my $from, '-|') // return report($what, 0);
  if (!$child) { $! = 0; my $worked = $try->(); syswrite STDOUT, $worked ? 'done' : "$!"; POSIX::_exit(0) }
  my $said = join '', <$from>;
  close $from;
  chomp $said;
  print "$what\t", ($said eq '' ? 'killed' : $said), "\n";
}

sub readable {
  my ($what, $path) = @_;
  my ($handle, $some);
  $! = 0;
  if (-d $path) {
    report($what, opendir($handle, $path) && scalar(grep { !/^\.\.?$/ } readdir $handle));
  } else {
    report($what, open($handle, '<', $path) && sysread($handle, $some, 1));
  }
}

sub writable { my ($what, $path) = @_; $! = 0; my $new = !-e $path; report($what, sysopen(my $file, $path, POSIX::O_WRONLY() | POSIX::O_CREAT())); unlink $path if $new }

$| = 1;

readable('read /etc/shadow', '/etc/shadow');
readable('read a home directory', '/home/alice');
readable("read root's home", '/root/secret');
readable("read another service's state", '/var/lib/of-another/secret');
readable('read a log', '/var/log/secret');
readable('read /dev/mem or a disk', -e '/dev/mem' ? '/dev/mem' : '/dev/probe-disk');
readable('read the kernel log', '/dev/kmsg');
readable('read /proc/kallsyms', '/proc/kallsyms');
readable('read /proc of pid 1', '/proc/1/environ');

writable('write below /usr', '/usr/lib/fastapi-health/probe');
writable('write its own program', '/usr/lib/fastapi-health/index.js');
writable('write below /etc', '/etc/probe');
writable('write its own settings', '/etc/fastAPI/fastAPI.env');
writable('write below /var/lib/fastAPI', '/var/lib/fastAPI/probe');
writable('write below /var/log', '/var/log/probe');
writable('write below /run', '/run/probe');
writable('write beside the socket', '/run/fastAPI/probe');
writable('write to /dev/shm', '/dev/shm/probe');
writable('write a kernel setting', '/proc/sys/kernel/domainname');
writable('write below /sys', '/sys/kernel/mm/transparent_hugepage/enabled');
writable('write to a control group', '/sys/fs/cgroup/cgroup.procs');

for ([INET => AF_INET, SOCK_STREAM], [INET6 => 10, SOCK_STREAM], [UNIX => AF_UNIX, SOCK_STREAM], [netlink => 16, SOCK_RAW],
  [packet => 17, SOCK_RAW], ['raw INET' => AF_INET, SOCK_RAW], [vsock => 40, SOCK_STREAM], [alg => 38, 5]) {
  my ($name, $family, $type) = @$_;
  $! = 0;
  report("open a socket: $name", socket(my $socket, $family, $type, $name eq 'raw INET' ? 1 : 0));
}

{
  opendir my $proc, '/proc';
  my @others = grep { /^\d+$/ && $_ != $$ && $_ != getppid() } readdir $proc;
  $! = 1;
  report('see processes of others', scalar @others);
}
$! = 0; report('signal pid 1', kill(0, 1));
$! = 0; report('signal a process of another user', kill(0, $ENV{PROBE_PID} || 1));
# PTRACE_SEIZE, which unlike PTRACE_ATTACH does not stop the other one.
call('trace another process', 'ptrace', 0x4206, 1, 0, 0);
apart('be traced by its parent', sub { syscall($number{ptrace}, 0, 0, 0, 0) != -1 });
{
  my $here = "\0" x 8;
  my ($local, $remote) = (pack('PQ', $here, 8), pack('QQ', 4096, 8));
  call("read another's memory", 'process_vm_readv', 1, $local, 1, $remote, 1, 0);
}

for (['user', 0x10000000], ['mount', 0x00020000], ['pid', 0x20000000], ['network', 0x40000000], ['ipc', 0x08000000],
  ['uts', 0x04000000], ['cgroup', 0x02000000], ['time', 0x00000080]) {
  my ($name, $flag) = @$_;
  apart("create a namespace: $name", sub { syscall($number{unshare}, $flag) != -1 });
}
apart('enter a namespace', sub { open(my $ns, '<', '/proc/self/ns/uts') or return 0; syscall($number{setns}, fileno $ns, 0) != -1 });

{ my ($none, $where, $type) = ("none\0", "/mnt\0", "tmpfs\0"); call('mount', 'mount', $none, $where, $type, 0, 0) }
{ my $where = "/mnt\0"; call('unmount', 'umount2', $where, 0) }
{ my $type = "tmpfs\0"; call('open a new file system', 'fsopen', $type, 0) }
{ my $root = "/\0"; apart('chroot', sub { syscall($number{chroot}, $root) != -1 }) }
{ my ($image, $options) = ("\0" x 64, "\0"); call('load a module', 'init_module', $image, 64, $options) }
{ my $options = "\0"; call('load a module from a file', 'finit_module', 0, $options, 0) }
{ my $attributes = "\0" x 128; call('load a BPF program', 'bpf', 5, $attributes, 128) }
{ my $attributes = pack('LL', 1, 112) . "\0" x 104; call('watch by perf', 'perf_event_open', $attributes, 0, -1, -1, 0) }
call('use userfaultfd', 'userfaultfd', 0);
{ my $parameters = "\0" x 120; call('use io_uring', 'io_uring_setup', 4, $parameters) }
{ my ($type, $name, $key) = ("user\0", "probe\0", "x"); call('add a key to a keyring', 'add_key', $type, $name, $key, 1, -2) }
# A nanosecond too many: where it is allowed, it is an invalid argument.
{ my $time = pack('qq', time, 2_000_000_000); call('set the clock', 'clock_settime', 0, $time); call('set the time of day', 'settimeofday', $time, 0) }
{ my $name = (POSIX::uname())[1]; call('set the host name', 'sethostname', $name, length $name) }
apart('change its personality', sub { syscall($number{personality}, 0x0008) != -1 });
apart('reach I/O ports', sub { syscall($number{iopl}, 3) != -1 });
{ my $priority = pack('i', 1); apart('schedule in real time', sub { syscall($number{sched_setscheduler}, 0, 1, $priority) != -1 }) }
{ my $limit = pack('QQ', 64, 64); apart('change a resource limit', sub { syscall($number{setrlimit}, 7, $limit) != -1 }) }
{ my $path = "/nowhere\0"; call('turn on swap', 'swapon', $path, 0); call('turn on accounting', 'acct', $path) }
call('reboot', 'reboot', 0, 0, 0, 0);
call('load another kernel', 'kexec_load', 0, 0, 0, 0);
call('read the kernel ring buffer', 'syslog', 10, 0, 0);
{ my $handle = "\0" x 16; call('open by file handle', 'open_by_handle_at', -100, $handle, 0) }
call('create shared memory of System V and leave it', 'shmget', 0, 4096, 0600 | 01000);
apart('become another user', sub { syscall($number{setuid}, 33) != -1 });

# Where it may write.
for ($writable, '/tmp', '/var/tmp', '/dev/shm') {
  my $program = "$_/probe-program";
  my $where = $_ eq $writable ? 'its cache' : $_;
  if (open my $file, '+>', $program) {
    open(my $echo, '<', '/usr/bin/echo');
    { local $/; print {$file} scalar <$echo> }
    # PROT_READ|PROT_EXEC, MAP_PRIVATE
    apart("map a file in $where as code", sub { syscall($number{mmap}, 0, 4096, 5, 2, fileno $file, 0) != -1 });
    close $file;
    chmod 0755, $program;
    apart("execute a file in $where", sub { no warnings; exec { $program } 'echo', 'done'; 0 });
  } else {
    report("map a file in $where as code", 0);
    report("execute a file in $where", 0);
  }
  unlink $program;
}
{
  my $program = "$writable/probe-set-uid";
  if (open my $file, '>', $program) { close $file }
  $! = 0; report('make a file set-uid', chmod(04755, $program) && (stat $program)[2] & 04000);
  unlink $program;
  my $device = "$writable/probe-device\0";
  call('make a device node', 'mknod', $device, 020600, 0x0103); unlink "$writable/probe-device";
}
{
  my $name = "probe\0";
  $! = 0;
  my $fd = syscall($number{memfd_create}, $name, 0);
  if ($fd == -1) {
    report('execute from memory', 0);
  } else {
    apart('execute from memory', sub {
      open(my $file, '>&=', $fd) or return 0;
      open(my $echo, '<', '/usr/bin/echo') or return 0;
      { local $/; syswrite $file, scalar <$echo> }
      no warnings;
      exec { "/proc/self/fd/$fd" } 'echo', 'done';
      0;
    });
  }
}
for (['run a shell', '/usr/bin/sh', '-c', 'echo done'], ['run a set-uid program', '/usr/bin/su', '--version'], ['run pacman', '/usr/bin/pacman', '--version'], ['run systemctl', '/usr/bin/systemctl', '--version'], ['run curl', '/usr/bin/curl', '--version']) {
  my ($what, @command) = @$_;
  my $child = open(my $from, '-|') // next;
  if (!$child) { open(STDERR, '>', '/dev/null'); $! = 0; { no warnings; exec { $command[0] } @command } syswrite STDOUT, "refused: $!"; POSIX::_exit(0) }
  my $said = join '', <$from>;
  close $from;
  print "$what\t", ($said =~ /^refused: (.*)/ ? $1 : 'done'), "\n";
}
