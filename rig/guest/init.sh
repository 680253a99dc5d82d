#!/bin/sh
# The first process of the guest: mounts, starts what keeps Accessed bits honest, runs the tests.
export PATH=/bin HOME=/root NO_COLOR=1 COLUMNS=120
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t tracefs trace /sys/kernel/tracing 2>/dev/null
mount -t debugfs debug /sys/kernel/debug
mkdir -p /sys/fs/cgroup
mount -t cgroup2 cgroup /sys/fs/cgroup
# Well below the sampling interval of the tests (20 ms), and often enough.
/guest/tick 4000 &
node /guest/main.mjs "$@"
poweroff -f
