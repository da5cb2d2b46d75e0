#!/bin/bash
# Becomes a systemd that is the first process of its own namespaces and knows the units of one folder. What it sees of this
# machine is read through an overlay, so that it can change nothing; all of it goes with its process.
# boot.sh PROGRAM UNITS CONFIG
set -e
program=$1 units=$2 config=$3

ip link set lo up
# Of this network namespace alone.
sysctl -qp "$program/deploy/60-preau.conf"

mount -t tmpfs tmpfs /mnt
mkdir /mnt/{upper,work,root}
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
cd /mnt/root
mount -t proc proc proc
# The kernel is that of the whole machine.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
  mknod -m 666 "dev/$device" c "0x$(stat -c %t "/dev/$device")" "0x$(stat -c %T "/dev/$device")"
done
mkdir dev/{shm,pts,mqueue}
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd

mkdir -p opt/preau etc/preau etc/preau-units
mount --rbind "$program" opt/preau
mount -o remount,bind,ro opt/preau
cp "$config" etc/preau/config.json
cp -r "$units/." etc/preau-units
echo 'preau:x:64990:64990::/var/lib/preau:/usr/sbin/nologin' >> etc/passwd
echo 'preau:x:64990:' >> etc/group
rm -rf etc/fstab etc/machine-id var/lib/preau var/log/journal

mkdir before
pivot_root . before
exec chroot . /bin/bash -c '
  umount -l /before
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=other \
    SYSTEMD_UNIT_PATH=/etc/preau-units SYSTEMD_GENERATOR_PATH=/nowhere SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/nowhere \
    /lib/systemd/systemd --system --unit=test.target --log-target=journal --show-status=no' < /dev/null
