"""The commands of the runbooks: well formed, accepted by bash, and honest about their safety."""

from __future__ import annotations

import re
import subprocess

import pytest

from faultmaven.knowledge.library import load_runbooks

COMMANDS = [entry for runbook in load_runbooks() for entry in runbook.commands]

PLACEHOLDER = re.compile(r"<[a-z]+(-[a-z]+)*>")
REDIRECTIONS = ("</dev/null", "2>/dev/null")

OBSERVING = re.compile(
    r"""^(
    kubectl\ (get|describe|logs|top|auth\ can-i|rollout\ (status|history))\b
    | kubectl\ exec\ \S+\ -n\ \S+\ --\ (cat|nslookup|wget\ -qO-)(?=\ )
    | docker\ (ps|logs|inspect|context\ ls|system\ df|volume\ ls|network\ (ls|inspect))\b
    | docker\ (image|manifest)\ inspect\b | dockerd\ --validate\b | crictl\ info\b
    | psql\ .*-c\ "(SELECT(?!.*pg_(terminate|cancel|drop|reload|wal_replay_resume))|SHOW|EXPLAIN)\b
    | pg_isready\b | mysql\ .*-e\ "(SELECT|SHOW|EXPLAIN)\b | mysqladmin\ .*\ ping\b
    | mysqldumpslow\b
    | redis-cli\ (-h\ \S+\ )?(-p\ \S+\ )?(INFO|PING|CONFIG\ GET|CLIENT\ LIST|ACL\ LOG|SLOWLOG\ GET
        |LATENCY\ DOCTOR|MEMORY\ DOCTOR|CLUSTER\ (INFO|NODES)|SENTINEL\ GET-MASTER-ADDR-BY-NAME)\b
    | redis-cli\ --(bigkeys|latency-history|cluster\ check)\b | redis-check-aof\ <
    | kafka-\S+\.sh\ --bootstrap-server\ \S+(\ (--describe|--list|describe)\b|$)
    | kafka-consumer-groups\.sh\ .*--dry-run$ | kafka-get-offsets\.sh\b
    | systemctl\ (status|show|cat)\b | systemd-analyze\ verify\b | coredumpctl\ info\b
    | journalctl\ (?!.*--(vacuum|rotate|flush))
    | nginx\ -[tTV]( \ 2>/dev/null\ \|\ grep\ .*)?$
    | openssl\ (s_client|x509|verify|pkey)\b(?!.*\ -(out|signkey)\b)
    | curl\ (?!.*\ -(F|d|X|T)\b)(?=.*(-o\ /dev/null|-sI))
    | certbot\ certificates$ | python3?\ -m\ (certifi|pip\ (show|check))\b | python\ -c\ 'import\b
    | fsck\ -n\b | tune2fs\ -l\b | smartctl\ -a\b | sysctl\ (?!-w)\S
    | find\ (?!.*\ -(delete|exec)\b)
    | gh\ (run\ (list|view)|cache\ list|auth\ status)\b | git\ (ls-remote|remote\ -v)\b
    | ssh\ -T\b | ssh-add\ -l$ | jcmd\ \S+\ (VM\.(?!log)|GC\.(?!heap_dump)|Thread\.)\S+
    | runuser\ -u\ \S+\ --\ test\ -r\b | chronyc\ (tracking|sources)\b | timedatectl$
    | nmap\ --script\ ssl-enum-ciphers\b | rndc\ status$ | resolvectl\ status$
    | java\ .*-version$ | nft\ list\b | conntrack\ -S$ | ip\ route\ get\b | py-spy\ dump\b
    | (ausearch|awk|cat|date|delv|df|dig|dmesg|du|findmnt|free|getent|grep|iostat|jstack|jstat|ldd
       |ls|lsof|mpstat|mtr|named-checkzone|namei|nc|nproc|nstat|perf\ top|pidstat|ping|ps|sha256sum
       |ss|tail|tcpdump|top|traceroute|uptime|vmstat)\b
    )""",
    re.VERBOSE,
)
CHANGING = re.compile(
    r"""\b(
    kubectl\ (delete|drain|patch|set|scale|create|annotate|uncordon|run)
    | kubectl\ rollout\ (undo|restart|resume)
    | (?<!-)rm\ | truncate | kill\ | renice | ionice | prune | chown | chmod | setcap | mount\ -o
    | fsck\ -y
    | systemctl\ (start|stop|restart|reload|reset-failed|set-property|daemon-reload)
    | sysctl\ -w | prlimit\ .*--nofile= | usermod | restorecon | docker\ (run|stop|update)
    | CONFIG\ SET | BGSAVE | UNLINK | REPLICAOF | ALTER | CREATE | DROP | GRANT\ | TRUNCATE | VACUUM
    | SET\ GLOBAL | KILL | CHECKPOINT | ROLLBACK | START\ REPLICA
    | pg_(terminate_backend|cancel_backend|drop_replication_slot|reload_conf|wal_replay_resume)
    | pip\ install | cache\ (clean|purge|verify|delete) | git\ (clean|bisect) | secret\ set
    | flush-caches | flushtree | makestep | certbot\ (renew|certonly) | importcert
    | heap_dump | JFR\.start
    ) | \ --(execute|alter|create|vacuum-size|grace-period)\b | -delete\b
    | kafka-leader-election""",
    re.VERBOSE,
)
LOSING = re.compile(
    r"""\b(
    kubectl\ (delete|drain) | (?<!-)rm\ | truncate\ -s | prune | git\ clean | fsck\ -y
    | cache\ delete
    | UNLINK | REPLICAOF | DROP | KILL\ | ROLLBACK\ PREPARED | kill\ -(9|KILL)
    | pg_(terminate_backend|drop_replication_slot)
    ) | -delete\b | --vacuum-size | unclean | --reset-offsets\ .*--execute | "finalizers":null
    | allkeys-lru | --cluster\ fix""",
    re.VERBOSE,
)


def without_placeholders(command: str) -> str:
    """The command without what may stand in angle brackets or redirect."""
    rest = PLACEHOLDER.sub("", command)
    for redirection in REDIRECTIONS:
        rest = rest.replace(redirection, "")
    return rest


def test_placeholders_are_well_formed() -> None:
    """What must be filled in is a plain name in angle brackets; nothing else has them."""
    rests = [without_placeholders(entry.command) for entry in COMMANDS]
    assert [rest for rest in rests if set("<>") & set(rest)] == []


def test_commands_are_plain_lines() -> None:
    """A command is ASCII that can be pasted, and asks for no rights by itself."""
    commands = [entry.command for entry in COMMANDS]
    assert [c for c in commands if not c.isascii()] == []
    assert [c for c in commands if "sudo" in c or c.endswith(("\\", "..."))] == []


def test_bash_accepts_every_command() -> None:
    """Bash parses each command as the body of a function; nothing is run."""
    lines = [PLACEHOLDER.sub("value", entry.command) for entry in COMMANDS]
    script = 'while IFS= read -r -d "" line; do eval "check() { $line\n}" || echo "$line"; done'
    result = subprocess.run(  # noqa: S603 - our own files, parsed but not run
        ["bash", "-c", script],  # noqa: S607 - the shell the commands are written for
        input="".join(f"{line}\0" for line in [*lines, "unbalanced 'quote"]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "unbalanced 'quote\n", result.stderr


def test_read_only_commands_only_observe() -> None:
    """What is marked read_only is known to observe, and what is known to observe is so marked."""
    assert [
        entry
        for entry in COMMANDS
        if (entry.safety == "read_only")
        != (bool(OBSERVING.match(entry.command)) and not CHANGING.search(entry.command))
    ] == []


def test_losing_commands_are_destructive() -> None:
    """What loses data, work or availability is marked destructive, and nothing else is."""
    assert [
        entry
        for entry in COMMANDS
        if (entry.safety == "destructive") != bool(LOSING.search(entry.command))
    ] == []


@pytest.mark.parametrize(
    "command",
    [
        "kubectl delete pod <pod>",
        "rm -rf /var/log/old",
        'psql -c "DROP TABLE <table>"',
        "docker system prune",
        "kill -9 <pid>",
        "journalctl --vacuum-size=500M",
        "curl -X DELETE https://<host>/",
        "openssl x509 -req -signkey <key> -out <file>",
        "find / -name core -exec rm {} +",
        'psql -c "SELECT pg_drop_replication_slot(1)"',
    ],
)
def test_the_rules_see_a_wrong_mark(command: str) -> None:
    """A dangerous command marked read_only would be found by the rules above."""
    assert not OBSERVING.match(command) or CHANGING.search(command)
