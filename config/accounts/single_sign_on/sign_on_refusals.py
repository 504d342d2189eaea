"""Why somebody does not come in through a provider: one sentence, one advice, one code each."""

from config.core.errors import ProofsheetError


class SignOnFailed(ProofsheetError):
    """What came back does not fit what was asked, or was used before."""

    default_code = "sign_on_failed"
    default_message = "The sign-in did not come back as it was asked for, so nobody was let in."
    default_advice = "Begin again on the sign-in page; if it happens again, tell the operator."
    default_status = 401


class SignOnCancelled(ProofsheetError):
    """The person, or the provider, said no."""

    default_code = "sign_on_cancelled"
    default_message = "The identity provider did not let you through."
    default_advice = "Begin again on the sign-in page, or ask whoever runs the provider."
    default_status = 401


class ProviderAway(ProofsheetError):
    """The provider does not answer, or not with what a provider answers."""

    default_code = "sign_on_provider_away"
    default_message = "The identity provider cannot be reached at the moment."
    default_advice = "Try again in some minutes. Whoever is signed in stays signed in."
    default_status = 503


class AddressTaken(ProofsheetError):
    """An account of another person, or of the same one, has the address. Nobody is let into it."""

    default_code = "sign_on_address_taken"
    default_message = "An account here has this email address already, and an address opens none."
    default_advice = (
        "If it is yours, sign in to it with its password and connect the two under Account."
    )
    default_status = 409


class SignUpNotOpen(ProofsheetError):
    """The provider knows the person, the house does not, and makes no account."""

    default_code = "sign_on_no_account"
    default_message = "You have no account here, and your sign-in does not make one."
    default_advice = "Ask your administrator for one of the groups that have access."
    default_status = 403


class GroupsLeftOut(ProofsheetError):
    """Nothing follows from groups that the provider did not send."""

    default_code = "sign_on_groups_left_out"
    default_message = "You are in more groups than the identity provider sends, so none counts."
    default_advice = "Ask your administrator to send only the groups of this application."
    default_status = 403


class AddressMissing(ProofsheetError):
    """No account without an address that statements go to."""

    default_code = "sign_on_address_missing"
    default_message = "The identity provider sent no email address of a domain that is let in."
    default_advice = "Ask your administrator to send a verified address with the sign-in."
    default_status = 403


class PasswordNotForThis(ProofsheetError):
    """The password is right, but the account comes in another way."""

    default_code = "sign_on_required"
    default_message = "This account is signed in to through the identity provider alone."
    default_advice = "Use its button on the sign-in page."
    default_status = 403


class EmergencyWithoutFactor(ProofsheetError):
    """An account for emergencies that nobody secured."""

    default_code = "emergency_account_unsecured"
    default_message = "This emergency account has no second factor, so it opens nothing."
    default_advice = "Switch `enforced` off in SIGN_ON_FILE, set one up, and switch it on again."
    default_status = 403
