#!/bin/busybox sh
# The first process of the guest. It stays in memory: the disk only holds the kernel, this archive and a counter of boots.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
exec </dev/console >/dev/console 2>&1

while read -r module; do insmod "/modules/$module"; done </modules/order

# The disk that this was booted from, known by what is on it; the seed, by its label (NoCloud data source).
hostname localhost
for disk in /dev/vd? /dev/sd? /dev/sr?; do
  [ -b "$disk" ] || continue
  if mount -t vfat "$disk" /mnt 2>/dev/null; then
    if [ -f /mnt/plumb.txt ]; then
      boots=$(($(cat /mnt/boots.txt 2>/dev/null || echo 0) + 1))
      echo "$boots" >/mnt/boots.txt
      echo "$boots" >/run/boots
    fi
    umount /mnt
  elif mount -t iso9660 -o ro "$disk" /mnt 2>/dev/null; then
    [ -f /mnt/meta-data ] && mkdir -p /run/seed && cp /mnt/meta-data /mnt/user-data /run/seed/ 2>/dev/null
    umount /mnt
  fi
done
if [ -f /run/seed/meta-data ]; then
  name=$(sed -n 's/^"\{0,1\}local-hostname"\{0,1\}: *"\{0,1\}\([-a-zA-Z0-9.]*\).*/\1/p' /run/seed/meta-data)
  [ -n "$name" ] && hostname "$name"
fi

# A guest that is asked to power off does so; without this the host would have to pull the plug.
acpid -f -d >/dev/null 2>&1 &

ip link set lo up
for interface in /sys/class/net/eth*; do
  name=${interface##*/}
  ip link set "$name" up
  udhcpc -b -S -i "$name" -s /etc/dhcp.sh -O mtu -O hostname -t 3 -T 1 -A 2 -x "hostname:$(hostname)" &
done
nc -ll -p 7 -e /etc/greet.sh &
[ -f /run/seed/user-data ] && [ "$(head -c 2 /run/seed/user-data)" = '#!' ] && sh /run/seed/user-data &

# One shell for whoever opens the console.
while true; do setsid cttyhack sh -i; done
