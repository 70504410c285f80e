/** What stands around every page: name, navigation, who is signed in, and the sign-in form when nobody is. */

import { AppShell, Anchor, Box, Button, Center, Container, Group, Loader, Text } from '@mantine/core';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { Fragment } from 'react';
import { SignIn } from './pages/sign-in.tsx';
import { ProblemNote } from './parts/problem-note.tsx';
import { useSession, useSignOut, useTicketLinks } from './session.ts';
import { useLiveUpdates } from './live.ts';

const places = [
  { to: '/', label: 'Jobs' },
  { to: '/submit', label: 'Submit a job' },
  { to: '/ledger', label: 'Ledger' },
  { to: '/account', label: 'Account' },
] as const;

export function Frame() {
  const session = useSession();
  const signedIn = session.data ?? undefined;
  const live = useLiveUpdates(signedIn?.account.id);
  const signOut = useSignOut();
  useTicketLinks();

  return (
    <AppShell header={{ height: signedIn ? { base: 96, sm: 56 } : 56 }} padding={{ base: 'md', sm: 'lg' }}>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <AppShell.Header>
        <Container size="lg" px="md">
          <Group h={56} justify="space-between" wrap="nowrap">
            <Group gap="lg" wrap="nowrap">
              <Brand />
              {signedIn && <Places label="Pages" visibleFrom="sm" />}
            </Group>
            {signedIn && <SignedIn email={signedIn.account.email} live={live} signOut={signOut} />}
          </Group>
          {signedIn && <Places label="Pages" hiddenFrom="sm" />}
        </Container>
      </AppShell.Header>
      <AppShell.Main id="main">
        <Container size="lg" px={0}>
          {session.isPending && (
            <Center h="50vh">
              <Loader role="status" aria-label="Loading" />
            </Center>
          )}
          {session.error && <ProblemNote error={session.error} onRetry={() => void session.refetch()} />}
          {session.data === null && <SignIn />}
          {signedIn && signOut.error && (
            <Box mb="lg">
              <ProblemNote error={signOut.error} />
            </Box>
          )}
          {signedIn && (
            <Fragment key={signedIn.account.id}>
              <Outlet />
            </Fragment>
          )}
        </Container>
      </AppShell.Main>
    </AppShell>
  );
}

function Brand() {
  return (
    <Anchor renderRoot={(props) => <Link to="/" {...props} />} underline="never" c="inherit">
      <Group gap="xs" wrap="nowrap">
        <img src="/mark.svg" width={26} height={26} alt="" />
        <Text span size="lg" fw={700}>
          Assay
        </Text>
      </Group>
    </Anchor>
  );
}

function Places({ label, ...shown }: { label: string; visibleFrom?: string; hiddenFrom?: string }) {
  const path = useRouterState({ select: (state) => state.location.pathname });
  return (
    <Group component="nav" aria-label={label} gap={4} wrap="nowrap" ml={{ base: -7, sm: 0 }} {...shown}>
      {places.map((place) => {
        const below = place.to === '/' ? '/jobs/' : `${place.to}/`;
        const active = path === place.to || path.startsWith(below);
        return (
          <Link key={place.to} to={place.to} className="place" data-active={active}>
            {place.label}
          </Link>
        );
      })}
    </Group>
  );
}

interface SignedInProps {
  readonly email: string;
  readonly live: boolean;
  readonly signOut: ReturnType<typeof useSignOut>;
}

function SignedIn({ email, live, signOut }: SignedInProps) {
  return (
    <Group gap="sm" wrap="nowrap">
      <Text size="sm" c={live ? 'teal' : 'dimmed'} role="status" component="div">
        <Group gap={6} wrap="nowrap">
          <span className="live-mark" data-live={live} />
          {live ? 'live' : 'connecting'}
        </Group>
      </Text>
      <Text size="sm" visibleFrom="md" c="dimmed">
        {email}
      </Text>
      <Button variant="subtle" size="compact-sm" onClick={() => signOut.mutate()} loading={signOut.isPending}>
        Sign out
      </Button>
    </Group>
  );
}
