"""The headers `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11)."""

from stemcrate.schemas.quotas import Allowance

POLICY = "RateLimit-Policy"
LIMIT = "RateLimit"


def rate_limit_headers(left: Allowance) -> dict[str, str]:
    """Return the headers that tell a quota, and what is left of it.

    >>> from stemcrate.schemas.quotas import Policy
    >>> requests = Policy(name="requests", quota=100, window_s=60)
    >>> rate_limit_headers(Allowance(policy=requests, available=50, reset_s=30))
    {'RateLimit-Policy': '"requests";q=100;w=60', 'RateLimit': '"requests";r=50;t=30'}
    """
    policy = left.policy
    parts = [f'"{policy.name}"', f"q={policy.quota}"]
    if policy.unit is not None:
        parts.append(f'qu="{policy.unit}"')
    if policy.window_s is not None:
        parts.append(f"w={policy.window_s}")
    limit = f'"{policy.name}";r={left.available}'
    if left.reset_s is not None:
        limit += f";t={left.reset_s}"
    return {POLICY: ";".join(parts), LIMIT: limit}
