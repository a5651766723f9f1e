#!/bin/busybox sh
# The power button was pressed (ACPI).
echo 'plumb-guest: power button, going down' >/dev/console
sync
poweroff -f
