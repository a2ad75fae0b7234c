"""The way into Salesforce, and one clear sentence for every way in which it can be shut."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rescore.connectors.base import ScoreUpdate
from rescore.connectors.catalog import open_source
from rescore.connectors.connection import Connection
from rescore.connectors.salesforce.login import Login
from rescore.errors import (
    CrmFieldMissing,
    CrmLacksScope,
    CrmRateLimited,
    CrmRejectedCredentials,
    CrmUnavailable,
    SettingsIncomplete,
)
from sandbox_salesforce.organisation import Account, Organisation
from sandbox_salesforce.testing import SalesforceServer
from tests.connectors.pretend_server import PretendServer, Reply
from tests.connectors.salesforce_rig import MAPPING, connection, salesforce

WHO = Account()
PASSWORD = {"login": WHO.username, "password": WHO.password}
APP = {"consumer_key": WHO.consumer_key, "consumer_secret": WHO.consumer_secret}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    form, nothing = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, nothing).decode()


def given(url: str, extra: dict, **fields: str):
    made = Connection("rescore_salesforce", url, extra=extra, kind="salesforce", **fields)
    return open_source(made, MAPPING)


@pytest.mark.parametrize(
    ("extra", "fields"),
    [
        pytest.param({"security_token": WHO.security_token}, PASSWORD, id="password and token, by SOAP"),
        pytest.param(APP, PASSWORD, id="password and a connected app"),
        pytest.param({**APP, "domain": "https://acme.my.salesforce.com/"}, {}, id="client credentials"),
    ],
)
def test_every_way_in_leads_in(empty: SalesforceServer, extra, fields):
    assert given(empty.url, extra, **fields).fingerprint() == "organisation 00D5g000004SandEAE"


def test_a_signed_assertion_leads_in(empty: SalesforceServer, key: rsa.RSAPrivateKey, tmp_path):
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    empty.organisation.account = Account(public_key=public.decode())
    by_key = {"consumer_key": WHO.consumer_key, "private_key": pem(key), "domain": "test"}
    assert given(empty.url, by_key, login=WHO.username).fingerprint()
    (tmp_path / "key.pem").write_text(pem(key))
    by_file = {"consumer_key": WHO.consumer_key, "private_key_file_path": str(tmp_path / "key.pem")}
    assert given(empty.url, by_file, login=WHO.username).fingerprint()


@pytest.mark.parametrize(
    ("extra", "fields", "code"),
    [
        pytest.param(
            {"security_token": "no"}, PASSWORD, "LOGIN_MUST_USE_SECURITY_TOKEN|INVALID_LOGIN", id="token"
        ),
        pytest.param({}, PASSWORD, "LOGIN_MUST_USE_SECURITY_TOKEN", id="no token"),
        pytest.param(
            {**APP, "consumer_secret": "no", "domain": "acme.my"}, {}, "invalid_client", id="secret"
        ),
        pytest.param(APP, {**PASSWORD, "password": "no"}, "invalid_grant", id="password"),
    ],
)
def test_wrong_credentials_are_one_sentence_without_them(empty: SalesforceServer, extra, fields, code):
    with pytest.raises(
        CrmRejectedCredentials, match=rf"`rescore_salesforce` log in \(({code})\): check"
    ) as caught:
        given(empty.url, extra, **fields).fingerprint()
    assert WHO.password not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("extra", "fields", "said"),
    [
        pytest.param({}, {}, "says too little to log in", id="nothing"),
        pytest.param({**APP, "private_key": "k"}, PASSWORD, "a password and a private key", id="both"),
        pytest.param(APP, {}, "your own `domain`", id="client credentials without a domain of one's own"),
        pytest.param({**APP, "domain": "a/b"}, {}, "`domain` .* is none of Salesforce's", id="domain"),
        pytest.param(
            {**APP, "version": "new", "domain": "acme.my"}, {}, "`version` .* write 64.0", id="version"
        ),
        pytest.param({**APP, "page": 0, "domain": "acme.my"}, {}, "`page` .* above zero", id="limit"),
        pytest.param({**APP, "reserve": 2, "domain": "acme.my"}, {}, "`reserve` .* share", id="reserve"),
    ],
)
def test_a_connection_that_opens_no_door_is_told_before_anything_is_sent(extra, fields, said):
    with pytest.raises(SettingsIncomplete, match=said):
        given("http://127.0.0.1:1", extra, **fields)


@pytest.mark.parametrize(
    "key_text", ["no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)
def test_a_private_key_that_cannot_be_read_is_told(empty: SalesforceServer, key_text):
    extra = {"consumer_key": "c", "private_key": key_text}
    with pytest.raises(SettingsIncomplete, match="the private key of the Connection `rescore_salesforce`"):
        given(empty.url, extra, login=WHO.username).fingerprint()


def test_a_key_file_that_is_not_there_is_told(empty: SalesforceServer):
    extra = {"consumer_key": "c", "private_key_file_path": "/nowhere/key.pem"}
    with pytest.raises(SettingsIncomplete, match="the private key"):
        given(empty.url, extra, login=WHO.username).fingerprint()


def test_a_session_that_ran_out_is_renewed_once_and_the_call_repeated(empty: SalesforceServer):
    crm = salesforce(empty)
    lead = empty.organisation.records.insert("Lead", "")
    crm.fingerprint()
    empty.organisation.end_sessions()
    assert crm.write([ScoreUpdate(lead, {"Rescore_Score__c": 4})])[0].kind == "ok"
    assert empty.organisation.logins == 2


def test_a_session_that_is_refused_again_is_an_error(empty: SalesforceServer):
    crm = salesforce(empty)
    body = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    empty.fault(path="/services/data/", count=10, status=401, body=body)
    with pytest.raises(CrmRejectedCredentials, match=r"no longer takes the login .* \(INVALID_SESSION_ID\)"):
        crm.fingerprint()
    assert empty.organisation.logins == 2


def test_a_rate_of_logins_is_a_limit(empty: SalesforceServer):
    empty.fault(path="/services/oauth2/", status=400, body={"error": "LOGIN_RATE_EXCEEDED"})
    with pytest.raises(CrmRateLimited, match="LOGIN_RATE_EXCEEDED"):
        salesforce(empty).fingerprint()


HTML = b"<html><body>Down for maintenance; ask 0301234</body></html>"


BOTH_WAYS = pytest.mark.parametrize(
    "extra", [{**APP, "domain": "acme.my"}, {"security_token": "t"}], ids=["oauth", "soap"]
)


@BOTH_WAYS
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"status": "error", "message": "ask 0301234"}', id="JSON"),
        pytest.param(b'{"results": [{"id": "0301234', id="broken off"),
        pytest.param(b'<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="x"><a>0301234', id="half XML"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe\x00", id="no text"),
    ],
)
def test_anything_instead_of_a_login_is_one_sentence(extra, body):
    reply = Reply(200, body, {"Content-Type": "text/xml"})
    with PretendServer(lambda asked: reply) as server, pytest.raises(CrmUnavailable) as caught:
        given(server.url, extra, **PASSWORD).fingerprint()
    assert str(caught.value) == (
        "the answer to the login is none of Salesforce's (200); check `domain` and the host of the "
        "Airflow Connection `rescore_salesforce`"
    )


@BOTH_WAYS
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_login_that_cannot_be_answered_now_is_tried_again(extra, status):
    page = Reply(status, HTML, {"Content-Type": "text/html", "Retry-After": "7"})
    with PretendServer(lambda asked: page) as server, pytest.raises(CrmUnavailable) as caught:
        given(server.url, extra, **PASSWORD).fingerprint()
    assert str(caught.value) == f"Salesforce could not answer the login ({status}); the next run tries again"
    assert caught.value.retry_after == 7


@BOTH_WAYS
@pytest.mark.parametrize(
    ("reply", "said"),
    [
        pytest.param(
            Reply(200, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ask 0301234"}]),
            "Salesforce limits logins (REQUEST_LIMIT_EXCEEDED); come back in 900 seconds",
            id="in a body",
        ),
        pytest.param(
            Reply(429, HTML, {"Retry-After": "30"}),
            "Salesforce limits logins (429); come back in 30 seconds",
            id="429",
        ),
    ],
)
def test_a_limit_at_the_login_says_how_long_to_wait(extra, reply, said):
    with PretendServer(lambda asked: reply) as server, pytest.raises(CrmRateLimited) as caught:
        given(server.url, extra, **PASSWORD).fingerprint()
    assert str(caught.value) == said


@pytest.mark.parametrize("status", [200, 401, 403, 404])
@BOTH_WAYS
def test_a_page_instead_of_a_login_is_one_sentence(status, extra):
    page = Reply(status, HTML, {"Content-Type": "text/html"})
    with PretendServer(lambda asked: page) as server, pytest.raises(CrmUnavailable) as caught:
        given(server.url, extra, **PASSWORD).fingerprint()
    assert str(caught.value) == (
        f"the answer to the login is none of Salesforce's ({status}); check `domain` and the host of the "
        "Airflow Connection `rescore_salesforce`"
    )


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        pytest.param(200, CrmUnavailable, r"none of Salesforce's \(200, \d+ bytes\)", id="200"),
        pytest.param(302, CrmUnavailable, r"with a redirect \(302\)", id="302"),
        pytest.param(401, CrmUnavailable, "none of Salesforce's", id="401"),
        pytest.param(403, CrmUnavailable, "none of Salesforce's", id="403"),
        pytest.param(404, CrmUnavailable, "none of Salesforce's", id="404"),
        pytest.param(502, CrmUnavailable, r"could not answer .* \(502\); the next run tries again", id="502"),
    ],
)
def test_a_page_instead_of_an_answer_is_one_sentence(empty: SalesforceServer, status, kind, said):
    crm = salesforce(empty)
    crm.fingerprint()
    empty.fault(path="/services/data/", status=status, body="<html>ask 0301234</html>")
    with pytest.raises(kind, match=said) as caught:
        crm.read(["00QSB0000000001AAA"], ["Rescore_Score__c"])
    assert "0301234" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_first_question_after_the_login_has_a_name_too(empty: SalesforceServer):
    empty.fault(path="/services/data/", status=503, body="<html>maintenance</html>")
    with pytest.raises(CrmUnavailable, match=r"could not answer GET / \(503\)"):
        salesforce(empty).fingerprint()


@pytest.mark.parametrize(
    ("status", "code", "kind", "said"),
    [
        (403, "REQUEST_LIMIT_EXCEEDED", CrmRateLimited, "come back in 60 seconds"),
        (200, "REQUEST_LIMIT_EXCEEDED", CrmRateLimited, "limits calls .* come back in 60 seconds"),
        (200, "SERVER_UNAVAILABLE", CrmUnavailable, "could not answer .* the next run tries again"),
        (200, "INVALID_FIELD", CrmUnavailable, r"none of Salesforce's \(200"),
        (503, "REQUEST_LIMIT_EXCEEDED", CrmRateLimited, "limits calls"),
        (403, "API_DISABLED_FOR_ORG", CrmLacksScope, "permission set with API access"),
        (403, "INSUFFICIENT_ACCESS", CrmLacksScope, "INSUFFICIENT_ACCESS"),
        (503, "SERVER_UNAVAILABLE", CrmUnavailable, "the next run tries again"),
        (400, "QUERY_TIMEOUT", CrmUnavailable, "the next run tries again"),
        (400, "INVALID_FIELD", CrmFieldMissing, "no field `Rescore_Score__c` of `Lead`"),
        (400, "INVALID_TYPE", CrmLacksScope, "no object `Lead`"),
        (400, "MALFORMED_QUERY", CrmUnavailable, "check `Lead` in the mapping salesforce.yaml"),
    ],
)
def test_every_code_in_a_body_is_one_sentence(empty: SalesforceServer, status, code, kind, said):
    crm = salesforce(empty)
    crm.fingerprint()
    body = [{"message": "No such column 'Rescore_Score__c': Jane Doe\n^", "errorCode": code}]
    headers = {"Sforce-Limit-Info": "api-usage=5/100"}
    empty.fault(path="/services/data/", status=status, body=body, headers=headers)
    with pytest.raises(kind, match=said) as caught:
        crm.read(["00QSB0000000001AAA"], ["Rescore_Score__c"])
    assert "Jane" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nobody_is_asked_whom_the_deployment_does_not_name():
    org = Organisation()
    with SalesforceServer(org) as server:
        elsewhere = connection(server.url.replace("127.0.0.1", "169.254.169.254"))
        with pytest.raises(SettingsIncomplete, match="RESCORE_ALLOWED_HOSTS"):
            open_source(elsewhere, MAPPING).fingerprint()
    assert org.logins == 0


def test_without_a_host_the_vendors_own_address_is_asked():
    extra = {**APP, "domain": "acme.my"}
    with pytest.raises(SettingsIncomplete, match=r"not allow https://acme\.my\.salesforce\.com"):
        given("", extra).fingerprint()


def test_nothing_that_is_secret_is_printed():
    assert WHO.consumer_secret not in repr(Login.from_connection(connection("http://127.0.0.1:1")))
