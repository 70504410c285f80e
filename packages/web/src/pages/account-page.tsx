/** Whose account this is, its password, and where it is signed in. */

import { Stack, Text, Title } from '@mantine/core';
import { PasswordForm } from '../parts/password-form.tsx';
import { SessionList } from '../parts/session-list.tsx';
import { useSession } from '../session.ts';

export function AccountPage() {
  const email = useSession().data?.account.email ?? '';
  return (
    <Stack gap="lg">
      <title>Account · Assay</title>
      <div>
        <Title order={1} size="h2">
          Account
        </Title>
        <Text c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {email}
        </Text>
      </div>
      <SessionList />
      <PasswordForm email={email} />
    </Stack>
  );
}
