#!/bin/sh
# Installs the packages of a recipe inside a container of its parent. The files beside this script
# (the host's apt sources, proxy and certificates) are gone when it ends, so that the layer
# committed from the container holds the packages and nothing of the host.
set -eu
here=$(dirname "$0")
export DEBIAN_FRONTEND=noninteractive

cp "$here/sources.list" /etc/apt/sources.list
cp "$here/apt.conf" /etc/apt/apt.conf.d/zz-host
apt-get update -qq
xargs apt-get install -y -qq < "$here/packages.txt"

rm -rf /etc/apt/sources.list /etc/apt/apt.conf.d/zz-host /var/lib/apt/lists/* /var/cache/apt/* \
    /var/cache/debconf/*-old /var/log/*.log /var/log/apt/* "$here"
