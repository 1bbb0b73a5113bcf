"""Places for objects: a folder, and S3 by a server that speaks its protocol (moto)."""

import sys
import urllib.request

from servers import Server

KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
}


class S3(Server):
    """moto in a process of its own, so that it can be killed and started on the same port."""

    def command(self):
        code = "from moto.server import main; main()"
        return [sys.executable, "-c", code, "-H", "127.0.0.1", "-p", str(self.port)]

    def answers(self):
        try:
            urllib.request.urlopen(self.address, timeout=2).close()
        except OSError:
            return False
        return True

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self):
        return {**KEYS, "AWS_ENDPOINT": self.address}

    def client(self):
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.address,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )

    def create(self, bucket):
        self.client().create_bucket(Bucket=bucket)
        return f"s3://{bucket}/some/prefix"
