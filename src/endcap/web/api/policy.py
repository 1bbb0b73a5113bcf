"""The shop's policy: whether publishing needs two people."""

from starlette.responses import Response

from endcap.core.errors import (
    BodyTooLarge,
    InvalidInput,
    MalformedBody,
    StoreUnavailable,
    VersionConflict,
)
from endcap.core.policy import Policy, PolicyView
from endcap.web.call import Call, answer
from endcap.web.operations import Operation

from .placements import IF_MATCH, NOTE
from .segments import edit_of


async def get_policy(call: Call) -> Response:
    """The policy."""
    return answer(call.services.four_eyes.policy(call.shop))


async def put_policy(call: Call) -> Response:
    """Change the policy."""
    policy = await call.decoded(Policy, 65_536)
    return answer(await call.services.four_eyes.put(call.shop, policy, edit_of(call)))


OPERATIONS = (
    Operation(
        id="get_policy",
        method="GET",
        path="/v1/policy",
        handler=get_policy,
        scope="rules:edit",
        tag="Accounts",
        about="Whether this shop publishes with four eyes.",
        answer=PolicyView,
    ),
    Operation(
        id="put_policy",
        method="PUT",
        path="/v1/policy",
        handler=put_policy,
        scope="accounts:admin",
        tag="Accounts",
        about="With `four_eyes`, whoever wrote the newest version of a rule, the draft of a "
        "placement or an experiment cannot make it live: another person with the scope has to, "
        "signed in. Taking out and going back to what was live before need one person only.",
        parameters=(IF_MATCH, NOTE),
        body=Policy,
        body_example={"four_eyes": False},
        answer=PolicyView,
        errors=(MalformedBody, InvalidInput, BodyTooLarge, VersionConflict, StoreUnavailable),
    ),
)
