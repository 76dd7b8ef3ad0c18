"""Which commands only look, which change something, which lose something: the table."""

from __future__ import annotations

from dataclasses import dataclass, field

from faultmaven.models.api import Safety

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """How one tool is read: the most dangerous sign among its first words and flags decides.

    Attributes:
        otherwise: what a call without any sign is.
        read_only: words that only look.
        changes_state: words and flags that change something.
        destructive: words and flags that lose data, work or availability.
        sql: its arguments hold SQL, which decides.
        wraps: it runs the command that its further words are.
    """

    otherwise: Safety = "changes_state"
    read_only: frozenset[str] = field(default=_NONE)
    changes_state: frozenset[str] = field(default=_NONE)
    destructive: frozenset[str] = field(default=_NONE)
    sql: bool = False
    wraps: bool = False


def _words(text: str) -> frozenset[str]:
    """Words separated by spaces; ``+`` joins two words of which the second follows the first."""
    return frozenset(word.replace("+", " ") for word in text.split())


def _rule(
    *, looks: str = "", changes: str = "", loses: str = "", otherwise: Safety = "changes_state"
) -> Rule:
    return Rule(otherwise, _words(looks), _words(changes), _words(loses))


def _looks(*, changes: str = "", loses: str = "") -> Rule:
    return _rule(changes=changes, loses=loses, otherwise="read_only")


_CONTAINERS = _rule(
    looks="ps logs inspect images image+inspect image+ls network+ls network+inspect volume+ls "
    "volume+inspect system+df info version stats top events history search context+ls port diff "
    "manifest+inspect ls compose+ps compose+logs compose+config",
    changes="run start restart update build pull push tag exec cp create load stop pause unpause",
    loses="rm rmi kill prune down system+prune volume+rm image+rm builder+prune",
)
_SERVICES = _rule(
    looks="status show cat list-units list-unit-files list-timers list-dependencies "
    "list-sockets is-active is-enabled is-failed get-default --version",
    loses="poweroff reboot halt kexec rescue emergency isolate",
)
_PACKAGES = _rule(
    looks="list show search info check policy freeze --version -V --list depends rdepends",
    loses="remove purge autoremove erase uninstall",
)
_KAFKA = _rule(
    looks="--describe --list describe --dry-run --verify --version",
    changes="--alter --create --election-type",
    loses="--delete --execute unclean",
)
_SQL = Rule(otherwise="changes_state", sql=True)
_WRAPPER = Rule(wraps=True)
_DESTROYS = Rule(otherwise="destructive")

RULES: dict[str, Rule] = {
    "kubectl": _rule(
        looks="get describe logs top explain version events cluster-info api-resources "
        "api-versions diff wait rollout+history rollout+status auth+can-i auth+whoami "
        "config+view config+get-contexts config+current-context",
        changes="apply create edit patch set scale autoscale annotate label expose run cp attach "
        "debug port-forward cordon uncordon taint rollout+restart rollout+undo rollout+pause "
        "rollout+resume config+use-context",
        loses="delete drain evict --force --prune",
    ),
    "helm": _rule(
        looks="list ls status history get show search version lint template env",
        loses="uninstall delete --force",
    ),
    "docker": _CONTAINERS,
    "podman": _CONTAINERS,
    "nerdctl": _CONTAINERS,
    "crictl": _rule(looks="ps pods images logs inspect inspectp info stats", loses="rm rmi rmp"),
    "docker-compose": _CONTAINERS,
    "dockerd": _rule(looks="--validate --version"),
    "systemctl": _SERVICES,
    "service": _rule(looks="status --status-all"),
    "journalctl": _looks(changes="--rotate --flush", loses="--vacuum-size --vacuum-time"),
    "dmesg": _looks(changes="-n --console-level", loses="-c -C --clear --read-clear"),
    "git": _rule(
        looks="status log diff show blame ls-files ls-remote remote+-v rev-parse describe grep "
        "shortlog reflog version",
        loses="clean reset+--hard --hard push+--force --force -f rebase filter-branch",
    ),
    "gh": _rule(
        looks="list view status run+list run+view cache+list auth+status pr+view issue+view",
        loses="delete",
    ),
    "terraform": _rule(looks="plan show output validate version providers", loses="destroy"),
    "aws": _rule(looks="--version help", loses="rm rb terminate-instances"),
    "redis-cli": _rule(
        looks="info ping get mget scan ttl type llen hgetall exists dbsize client+list "
        "config+get slowlog+get latency memory+doctor memory+usage memory+stats cluster+info "
        "cluster+nodes --cluster+check check acl+log sentinel --bigkeys --memkeys --latency "
        "--latency-history --latency-doctor monitor",
        changes="config+set bgsave client+kill failover",
        loses="flushall flushdb del unlink shutdown fix replicaof slaveof reshard "
        "maxmemory-policy debug script+flush",
    ),
    "redis-check-aof": _looks(loses="--fix"),
    "redis-check-rdb": _looks(),
    "rabbitmqctl": _rule(
        looks="status list_queues list_connections list_channels cluster_status environment",
        loses="reset force_reset delete_queue purge_queue stop_app stop",
    ),
    "psql": _SQL,
    "mysql": _SQL,
    "mariadb": _SQL,
    "sqlite3": _SQL,
    "sqlcmd": _SQL,
    "mysqladmin": _rule(
        looks="ping status processlist variables extended-status version",
        loses="kill shutdown drop",
    ),
    "ip": _looks(changes="add set change replace link+set up", loses="del delete flush down"),
    "nft": _rule(looks="list", loses="flush delete"),
    "iptables": _rule(looks="-L -S --list --list-rules", loses="-F --flush -X -D --delete"),
    "conntrack": _looks(loses="-F -D --flush --delete"),
    "resolvectl": _looks(changes="flush-caches reset-statistics dns domain"),
    "sysctl": _looks(changes="-w --write -p --load --system"),
    "mount": _rule(looks="-l -V --version"),
    "find": _looks(changes="-fprint -fls -ok", loses="-delete -exec -execdir"),
    "sed": _looks(changes="-i --in-place"),
    "curl": _looks(
        changes="-d --data --data-raw --data-binary --json -F --form -T --upload-file "
        "-XPOST -XPUT -XPATCH POST PUT PATCH -O --remote-name",
        loses="DELETE -XDELETE",
    ),
    "wget": _looks(changes="--post-data --post-file -r"),
    "nginx": _rule(looks="-t -T -v -V", changes="-s+reload"),
    "apachectl": _rule(looks="configtest -t -S -M -v"),
    "openssl": _looks(changes="-out genrsa genpkey req ca"),
    "certbot": _rule(looks="certificates", loses="revoke delete"),
    "chronyc": _looks(changes="makestep burst online offline"),
    "timedatectl": _looks(changes="set-time set-timezone set-ntp set-local-rtc"),
    "date": _looks(changes="-s --set"),
    "hostname": _looks(changes="-F -b"),
    "fsck": _rule(looks="-n -N", otherwise="destructive"),
    "xfs_repair": _rule(looks="-n", otherwise="destructive"),
    "fdisk": _rule(looks="-l --list", otherwise="destructive"),
    "parted": _rule(looks="-l --list", otherwise="destructive"),
    "crontab": _rule(looks="-l", loses="-r"),
    "ulimit": _looks(),
    "nmap": _looks(),
    "jcmd": _rule(
        looks="thread.print gc.heap_info gc.class_histogram vm.flags vm.metaspace vm.version "
        "vm.classloader_stats vm.system_properties vm.command_line vm.uptime "
        "vm.native_memory -l help",
    ),
    "jmap": _rule(looks="-histo -heap"),
    "java": _rule(looks="-version --version -XX:+PrintFlagsFinal"),
    "python": _rule(looks="--version -V pip+show pip+check pip+list pip+freeze certifi"),
    "pip": _PACKAGES,
    "apt": _PACKAGES,
    "apt-get": _PACKAGES,
    "apt-cache": _looks(),
    "dpkg": _rule(looks="-l -L -s -S --list", loses="-r -P --remove --purge"),
    "rpm": _rule(looks="-q -qa -qi -ql -qf -V", loses="-e --erase"),
    "yum": _PACKAGES,
    "dnf": _PACKAGES,
    "apk": _PACKAGES,
    "npm": _PACKAGES,
    "swapon": _rule(looks="-s --show"),
    "ssh-add": _rule(looks="-l -L", loses="-D"),
    "rndc": _rule(looks="status", loses="stop halt"),
    "py-spy": _rule(looks="dump top"),
    "perf": _rule(looks="top stat report list"),
    "systemd-analyze": _looks(),
    "coredumpctl": _rule(looks="list info"),
    "zpool": _rule(looks="status list iostat", loses="destroy"),
    "etcdctl": _rule(looks="get endpoint member+list alarm+list", loses="del remove defrag"),
    "xargs": _WRAPPER,
    "sh": _WRAPPER,
    "bash": _WRAPPER,
}
RULES |= {
    f"{name}{end}": _KAFKA
    for end in (".sh", "")
    for name in (
        "kafka-topics",
        "kafka-consumer-groups",
        "kafka-configs",
        "kafka-leader-election",
        "kafka-reassign-partitions",
        "kafka-metadata-quorum",
        "kafka-acls",
    )
}
RULES |= {
    f"{name}{end}": _looks()
    for end in (".sh", "")
    for name in (
        "kafka-broker-api-versions",
        "kafka-get-offsets",
        "kafka-log-dirs",
    )
}
RULES |= dict.fromkeys(("python3", "py"), RULES["python"])
RULES |= dict.fromkeys(
    _words(
        "sudo doas env nohup time nice watch timeout stdbuf exec command ssh runuser su "
        "chroot nsenter strace ltrace"
    ),
    _WRAPPER,
)
RULES |= dict.fromkeys(
    _words(
        "cat zcat less more head tail grep egrep fgrep zgrep rg awk cut sort uniq wc tr jq "
        "yq diff cmp column ls ll tree stat file du df lsblk blkid findmnt lsof fuser namei "
        "readlink realpath pwd cd which type whereis echo printf true test printenv id "
        "whoami groups who w last uptime uname nproc lscpu lsmod lspci lsusb free vmstat "
        "iostat mpstat pidstat sar top htop atop ps pstree pgrep pmap ss netstat dig delv "
        "nslookup host getent whois ping ping6 traceroute tracepath mtr nc ncat telnet "
        "nstat ethtool arp tcpdump ifconfig jps jstack jstat jinfo pg_isready "
        "pg_controldata mysqldumpslow named-checkzone named-checkconf smartctl tune2fs "
        "numactl ldd nm strings objdump readelf md5sum sha1sum sha256sum base64 hexdump xxd "
        "od cal getfacl lsattr ausearch sestatus getenforce aa-status promtool amtool "
        "istioctl stern k9s dumpe2fs lsns lslocks slabtop ipcs sleep seq basename dirname "
        "man"
    ),
    _looks(),
)
RULES |= dict.fromkeys(
    _words(
        "rm rmdir unlink shred truncate dd mkfs mkfs.ext4 mkfs.xfs wipefs mkswap shutdown "
        "reboot halt poweroff init killall pkill dropdb dropuser userdel groupdel lvremove "
        "vgremove pvremove mdadm sgdisk"
    ),
    _DESTROYS,
)
RULES["kill"] = _rule(looks="-l -0", loses="-9 -KILL -SIGKILL")
