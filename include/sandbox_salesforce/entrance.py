"""Logging in: by SOAP, and by the three OAuth flows that are for programs."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape, unescape

import jwt
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from sandbox_salesforce.organisation import ORGANISATION, Organisation, organisation_of

router = APIRouter()
InOrganisation = Annotated[Organisation, Depends(organisation_of)]
LAST_BY_SOAP = 64.0
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@router.post("/services/Soap/u/{version}")
async def log_in_by_soap(version: float, request: Request, org: InOrganisation) -> Response:
    """User name, password and token in an envelope."""
    if version > LAST_BY_SOAP:
        return _fault("INVALID_OPERATION", "SOAP login is not available in this version")
    text = (await request.body()).decode()
    name, word = _element(text, "username"), _element(text, "password")
    account = org.account
    if name != account.username or word not in (account.password + account.security_token,):
        if name == account.username and word == account.password:
            return _fault("LOGIN_MUST_USE_SECURITY_TOKEN", "append your security token to your password")
        return _fault("INVALID_LOGIN", "Invalid username, password, security token; or user locked out.")
    server = f"https://sandbox.my.salesforce.com/services/Soap/u/{version}/{ORGANISATION[:15]}"
    return _envelope(
        '<loginResponse xmlns="urn:partner.soap.sforce.com"><result>'
        f"<serverUrl>{server}</serverUrl><sessionId>{escape(org.open_session())}</sessionId>"
        f"<userId>{org.user}</userId></result></loginResponse>",
        200,
    )


@router.post("/services/oauth2/token")
async def log_in_by_oauth(request: Request, org: InOrganisation) -> JSONResponse:
    """The flows `password`, `client_credentials` and the signed assertion."""
    form = dict(parse_qsl((await request.body()).decode()))
    account, flow = org.account, form.get("grant_type")
    client = (form.get("client_id"), form.get("client_secret"))
    if flow == "client_credentials":
        client = _basic(request.headers.get("authorization", ""))
    if flow == JWT_BEARER:
        if problem := _assertion_problem(form.get("assertion", ""), org):
            return _refused("invalid_grant", problem)
    elif flow not in ("password", "client_credentials"):
        return _refused("unsupported_grant_type", "grant type not supported")
    elif client[0] != account.consumer_key:
        return _refused("invalid_client_id", "client identifier invalid")
    elif client[1] != account.consumer_secret:
        return _refused("invalid_client", "invalid client credentials")
    elif flow == "password":
        words = (account.password, account.password + account.security_token)
        if form.get("username") != account.username or form.get("password") not in words:
            return _refused("invalid_grant", "authentication failure")
    identity = f"https://login.salesforce.com/id/{ORGANISATION}/{org.user}"
    instance = "https://sandbox.my.salesforce.com"
    return JSONResponse(
        {"access_token": org.open_session(), "instance_url": instance, "id": identity, "token_type": "Bearer"}
    )


def _assertion_problem(assertion: str, org: Organisation) -> str | None:
    try:
        said = jwt.decode(
            assertion,
            org.account.public_key,
            algorithms=["RS256"],
            audience=["https://login.salesforce.com", "https://test.salesforce.com"],
        )
    except jwt.PyJWTError:
        return "invalid assertion"
    if said.get("iss") != org.account.consumer_key or said.get("sub") != org.account.username:
        return "user hasn't approved this consumer"
    return None


def _basic(header: str) -> tuple[str | None, str | None]:
    try:
        name, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return name, secret


def _element(text: str, name: str) -> str:
    _, _, rest = text.partition(f":{name}>")
    return unescape(rest.partition("</")[0], {"&quot;": '"', "&#x27;": "'"})


def _refused(error: str, description: str) -> JSONResponse:
    return JSONResponse({"error": error, "error_description": description}, 400)


def _fault(code: str, message: str) -> Response:
    detail = (
        f'<detail><sf:LoginFault xmlns:sf="urn:fault.partner.soap.sforce.com"><sf:exceptionCode>{code}'
        f"</sf:exceptionCode><sf:exceptionMessage>{message}</sf:exceptionMessage></sf:LoginFault></detail>"
    )
    said = f"<faultcode>{code}</faultcode><faultstring>{message}</faultstring>{detail}"
    return _envelope(f"<soapenv:Fault>{said}</soapenv:Fault>", 500)


def _envelope(body: str, status: int) -> Response:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    return Response(text, status, media_type="text/xml; charset=utf-8")
