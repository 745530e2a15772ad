"""Calls by the vendor's own packages: what each makes of the answers, a line of JSON for each call."""

import json
import os
import sys

from kscore.exceptions import ClientError
from kscore.session import get_session
from ksyun.common.common_client import CommonClient
from ksyun.common.credential import Credential
from ksyun.common.exception.ksyun_sdk_exception import KsyunSDKException
from ksyun.common.profile.client_profile import ClientProfile
from ksyun.common.profile.http_profile import HttpProfile

VERSION = "2020-05-01"
REGION = "cn-beijing-6"
# With all that clients are known to write in different ways.
VALUES = json.dumps({"name": "张三 ~*+/%", "no": "8 9"}, ensure_ascii=False)

address, notice, menu, mobile = sys.argv[1:]


def sdk(secret, endpoint):
    """A client of kingsoftcloud-sdk-python, which has no model of the service and a general client for such."""
    http = HttpProfile(protocol="http", endpoint=endpoint)
    credential = Credential(os.environ["ACCESS_KEY"], secret)
    return CommonClient("voice", VERSION, credential, REGION, ClientProfile(httpProfile=http))


def kscore(key, secret, token=None):
    """A client of kscore, with the model of the service that lies beside this file."""
    return get_session().create_client(
        "voice",
        REGION,
        use_ssl=False,
        endpoint_url=f"http://{address}",
        ks_access_key_id=key,
        ks_secret_access_key=secret,
        ks_session_token=token,
    )


def told(name, call):
    """Prints what came of a call."""
    try:
        answer = call()
        answer = json.loads(answer) if isinstance(answer, str) else answer
        got = {"CallId": answer["CallId"], "ExtId": answer["ExtId"]}
    except KsyunSDKException as fault:
        # It knows one code for all answers that are no success, and hands the body over as it came.
        error = json.loads(fault.message)["Error"] if fault.code == "ServerNetworkError" else {"Code": fault.code}
        got = {"Code": error["Code"], "by": fault.code}
    except ClientError as fault:
        got = {"Code": fault.response["Error"]["Code"]}
    print(json.dumps({"call": name, **got}, ensure_ascii=False), flush=True)


verify = {"Mobile": mobile, "TplId": 100001, "Code": "123456", "PlayTimes": 1, "ExtId": "sdk1"}
notify = {"Mobile": mobile, "TplId": notice, "TplParams": VALUES}
ivr = {"Mobile": mobile, "TplId": menu, "TplParams": VALUES}

secret = os.environ["SECRET_KEY"]
client = sdk(secret, address)
told("sdk CallVerify", lambda: client.call("CallVerify", verify))
told("sdk CallNotify", lambda: client.call("CallNotify", notify))
told("sdk CallIvr", lambda: client.call("CallIvr", ivr))
told("sdk CallNotify as JSON", lambda: client.call_json("CallNotify", dict(notify)))
told("sdk CallVerify at a URL", lambda: sdk(secret, f"http://{address}").call("CallVerify", verify))
told("sdk a wrong mobile", lambda: client.call("CallVerify", {**verify, "Mobile": "123"}))
told("sdk a wrong secret", lambda: sdk("another", address).call("CallVerify", verify))
told("sdk values as a dict", lambda: client.call("CallNotify", {**notify, "TplParams": {"name": "张三", "no": "1"}}))

plain = kscore(os.environ["ACCESS_KEY"], secret)
told("kscore CallVerify", lambda: plain.call_verify(**verify))
told("kscore CallNotify", lambda: plain.call_notify(**notify))
told("kscore CallIvr", lambda: plain.call_ivr(**ivr))
told("kscore a wrong mobile", lambda: plain.call_verify(**{**verify, "Mobile": "123"}))
temporary = kscore(*(os.environ[f"TEMPORARY_{name}"] for name in ["KEY", "SECRET", "TOKEN"]))
told("kscore with a token", lambda: temporary.call_notify(**notify))
