/** Another password, for whoever knows the present one; it signs everybody else out. */

import { Alert, Button, Card, Group, PasswordInput, Stack, Text, Title, type PasswordInputProps } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { useChangePassword } from '../account.ts';
import { ProblemNote } from './problem-note.tsx';

export function PasswordForm({ email }: { email: string }) {
  const change = useChangePassword();
  const [password, setPassword] = useState('');
  const [newPassword, setNewPassword] = useState('');
  const [again, setAgain] = useState('');
  const [differs, setDiffers] = useState(false);

  const clear = () => {
    setPassword('');
    setNewPassword('');
    setAgain('');
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setDiffers(again !== newPassword);
    if (again !== newPassword) return;
    change.mutate({ password, newPassword }, { onSuccess: clear });
  };

  return (
    <Card withBorder component="section" aria-labelledby="password">
      <form onSubmit={submit}>
        <Stack gap="sm" maw={420}>
          <Title order={2} size="h4" id="password">
            Password
          </Title>
          <Text size="sm" c="dimmed">
            Another password ends all other sessions and links that were not used yet. API keys go on working.
          </Text>
          <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
          <Field label="Present password" autoComplete="current-password" value={password} onText={setPassword} />
          <Field
            label="New password"
            description="At least 10 characters."
            minLength={10}
            maxLength={200}
            value={newPassword}
            onText={setNewPassword}
          />
          <Field
            label="The new password again"
            error={differs && again !== newPassword ? 'The two new passwords differ.' : undefined}
            value={again}
            onText={setAgain}
          />
          {change.error && <ProblemNote error={change.error} />}
          {change.isSuccess && (
            <Alert color="teal" role="status">
              The password is changed.
            </Alert>
          )}
          <Group>
            <Button type="submit" loading={change.isPending}>
              Change the password
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

function Field({ onText, ...rest }: PasswordInputProps & { readonly onText: (text: string) => void }) {
  return (
    <PasswordInput
      autoComplete="new-password"
      required
      onChange={(event) => onText(event.currentTarget.value)}
      visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password', tabIndex: 0 }}
      {...rest}
    />
  );
}
