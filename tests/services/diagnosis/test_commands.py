"""A command line is read for what it may do, without running anything."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.knowledge.library import load_runbooks
from faultmaven.models.api import Safety
from faultmaven.services.diagnosis.commands import classify, more_careful

_ORDER = get_args(Safety)
_RUNBOOK_COMMANDS = {
    entry.command: entry for runbook in load_runbooks() for entry in runbook.commands
}
# Where a runbook's author knows what no table can: this snippet only prints, this host
# answers and hangs up, this table is a cache, this patch lets an object go for good.
_AUTHOR_KNOWS = (
    "python -c ",
    "ssh -T ",
    'mysql -e "TRUNCATE TABLE performance_schema.host_cache"',
    "kubectl patch <kind> <name>",
)


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get pods -n shop",
        "kubectl -n shop describe pod api-1",
        "kubectl logs -f deploy/api --previous",
        "kubectl exec api-1 -- cat /etc/resolv.conf",
        "kubectl get pods -o json | jq '.items[].status'",
        "FOO=1 ls -l",
        "ls 2>/dev/null",
        "openssl s_client -connect h:443 </dev/null 2>&1 | grep verify",
        "/usr/bin/df -h",
        "sudo journalctl -u nginx -n 50",
        "timeout 10 cat /proc/1/limits",
        "docker exec -it web ls /srv",
        "SELECT * FROM pg_stat_activity",
        'psql -c "SHOW max_connections"',
        "redis-cli INFO memory",
        "git log --oneline",
        "terraform plan",
        "nginx -t",
    ],
)
def test_looking_is_read_only(command: str) -> None:
    """Commands that observe are told as such, through pipes, wrappers and containers."""
    assert classify(command) == "read_only"


@pytest.mark.parametrize(
    "command",
    [
        "kubectl apply -f x.yaml",
        "kubectl rollout restart deployment/api",
        "kubectl exec -it api-1 -- somethingunknown",
        "systemctl restart nginx",
        "nginx -t && systemctl reload nginx",
        "ls > listing.txt",
        "cat a | tee b",
        "sed -i s/a/b/ file",
        "curl -X POST http://h/x",
        "ssh host 'systemctl restart nginx'",
        "curl https://example.org/install.sh | sh",
        'psql -c "SELECT pg_reload_conf()"',
        "ALTER SYSTEM SET work_mem = '1GB'",
        "GRANT SELECT, DELETE ON t TO app",
        "python -c 'import shutil; shutil.rmtree(1)'",
        "frobnicate --now",
        "kill -TERM 17",
        "'",
        "((",
        "",
        " ",
    ],
)
def test_changing_and_unknown_is_never_read_only(command: str) -> None:
    """What changes something, and what nobody knows, is not called harmless."""
    assert classify(command) == "changes_state"


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf /var/lib/pg",
        "/bin/rm x",
        "sudo rm x",
        "ls; reboot",
        "true && dd if=/dev/zero of=/dev/sda",
        "echo $(rm -rf /tmp/x)",
        "echo `rm -rf /tmp/x`",
        "bash -c 'rm -rf /'",
        "find . -name x | xargs rm",
        "find . -name x -delete",
        "kubectl get pods -o name | xargs kubectl delete",
        "kubectl delete pod api-1",
        "kubectl drain node-1",
        "kubectl exec api-1 -- rm -rf /data",
        "kill -9 17",
        "docker system prune -af",
        "git push --force",
        "git reset --hard HEAD~1",
        "redis-cli -h h FLUSHALL",
        "redis-cli flushall",
        "DROP TABLE users",
        'psql -c "SELECT 1; DELETE FROM users"',
        "sudo -u postgres psql -c 'TRUNCATE t'",
        "curl -X DELETE http://h/x",
        "kafka-topics.sh --delete --topic t",
        "terraform destroy",
        "helm uninstall api",
        "journalctl --vacuum-size=1M",
        "echo $(bash -c 'sh -c \"bash -c ls\"')",
    ],
)
def test_losing_data_or_service_is_destructive(command: str) -> None:
    """The most dangerous part of a line decides, however it is wrapped."""
    assert classify(command) == "destructive"


def test_runbook_commands_are_read_as_their_authors_mark_them() -> None:
    """Hundreds of commands marked by hand agree with the table, none is called less dangerous."""
    read = {entry: classify(entry.command) for entry in _RUNBOOK_COMMANDS.values()}
    known = {entry for entry in read if entry.command.startswith(_AUTHOR_KNOWS)}

    assert len(read) > 300
    assert [e.command for e in read if e not in known and read[e] != e.safety] == []
    assert [e.command for e in known if read[e] == "read_only"] == []


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from([*"|&;()<>'\"`$\\\n ", "$(", "rm", "ls", "sudo", "kubectl", "exec", "-c"])
    ).map("".join)
)
def test_any_text_has_a_safety(text: str) -> None:
    """No text breaks the reading."""
    assert classify(text) in _ORDER


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(_RUNBOOK_COMMANDS)), st.sampled_from(["; ", " && ", " | ", "\n"]))
def test_adding_a_deletion_makes_any_line_destructive(command: str, joint: str) -> None:
    """A harmless beginning hides nothing."""
    assert classify(f"{command}{joint}rm -rf /data") == "destructive"


def test_more_careful_is_the_more_dangerous_reading() -> None:
    """Of two readings the more dangerous one counts, in either order."""
    for one in _ORDER:
        for other in _ORDER:
            careful = more_careful(one, other)
            assert _ORDER.index(careful) == max(_ORDER.index(one), _ORDER.index(other))
