"""Says what the role that Organizations makes may do in some accounts of a ministack that enforces
permissions: everything but one action, or what a policy document says."""

import argparse
import json
import sys

import botocore.session

ROLE = "OrganizationAccountAccessRole"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--all-but", metavar="ACTION")
    what.add_argument("--document", metavar="FILE", type=argparse.FileType())
    parser.add_argument("accounts", nargs="+")
    arguments = parser.parse_args()
    if arguments.document:
        policy = json.load(arguments.document)
    else:
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": arguments.all_but, "Resource": "*"},
            ],
        }
    for account in arguments.accounts:
        iam = botocore.session.get_session().create_client(
            "iam",
            region_name="us-east-1",
            endpoint_url=arguments.endpoint,
            aws_access_key_id=account,
            aws_secret_access_key="test",
        )
        iam.put_role_policy(
            RoleName=ROLE, PolicyName="access", PolicyDocument=json.dumps(policy)
        )


if __name__ == "__main__":
    sys.exit(main())
