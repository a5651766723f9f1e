#!/bin/busybox sh
# What the DHCP client (udhcpc) does with what it heard. Everything is in the environment.
case "$1" in
bound | renew)
  [ -n "$mtu" ] && ip link set "$interface" mtu "$mtu"
  ip addr flush dev "$interface"
  ip addr add "$ip/$mask" dev "$interface"
  for gateway in $router; do ip route replace default via "$gateway" dev "$interface"; done
  for server in $dns; do echo "nameserver $server"; done >/etc/resolv.conf
  [ "$(hostname)" = localhost ] && [ -n "$hostname" ] && hostname "$hostname"
  echo "plumb-guest: $(hostname) holds $ip/$mask on $interface, mtu $(cat "/sys/class/net/$interface/mtu")" >/dev/console
  ;;
deconfig)
  ip addr flush dev "$interface"
  ;;
esac
