#!/bin/sh
# Takes out of a fresh root file system what no build needs, and whatever tells of the host.
# usage: strip.sh ROOTFS FOLDER-OF-THIS-RECIPE
set -eu
root=$1
recipe=$2

rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old \
    "$root"/var/log/*.log "$root"/var/log/apt/* "$root"/usr/share/doc/* "$root"/usr/share/info/* \
    "$root"/usr/share/lintian/* "$root"/usr/share/locale/* "$root"/usr/share/man/* \
    "$root"/etc/apt/sources.list "$root"/etc/resolv.conf "$root"/etc/hostname "$root"/tmp/*
# The Java packages put links there when they are configured, and fail if the folder is missing.
mkdir -p "$root/usr/share/man/man1"
mkdir -p "$root/etc/dpkg/dpkg.cfg.d" "$root/etc/apt/apt.conf.d"
cp "$recipe/dpkg.cfg" "$root/etc/dpkg/dpkg.cfg.d/cachebench"
cp "$recipe/apt.conf" "$root/etc/apt/apt.conf.d/cachebench"
chmod 644 "$root/etc/dpkg/dpkg.cfg.d/cachebench" "$root/etc/apt/apt.conf.d/cachebench"
